set -e
printf '\\input texinfo\n@settitle Try\n@node Top\n@top Try\n@node One\n@chapter One\nText with @emph{emphasis}.\n@bye\n' >try.texi
makeinfo -o try.info try.texi
grep -q 'Text with _emphasis_' try.info
