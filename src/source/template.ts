/** The files of a recipe to start from, by their names: it builds as it is, and `pkgcontrol --lint` likes it. */
export const recipeTemplate = (name: string, version: string): Readonly<Record<string, string>> => ({
  control: `Source: ${name}
Version: ${version}
Description: What ${name} does, in one line
 More about it, for people who choose between it and others.
Homepage: https://example.org/${name}
License: MIT
Depends-Unpack:
 mksh
 sbase
Depends-Build:
 mksh
 sbase
 make
 gcc | tcc
 musl
Depends-Test:
 mksh
 sbase
# Archives of distfiles/distfiles.json, or of a distfiles.json beside this file, which
# pkgfetch --add writes:
# Sources:
#  ${name}-${version}.tar.gz

Package: ${name}
`,
  'unpack.sh': `set -e

# Usually: the archive, and the patches beside this file, each named after what it mends.
# tar xzf ${name}-${version}.tar.gz
# cd ${name}-${version}
# patch -p1 <../CVE-2026-0001.patch

mkdir ${name}
cp hello.c ${name}/
`,
  'build.sh': `set -e
cd ${name}

# Usually: a configure that is told both machines, as it would look at the processor and the kernel otherwise.
# ./configure --prefix="$PKG_DIR" --build="$ARCH_BUILD" --host="$ARCH" --disable-shared LDFLAGS="-static -s"
# make $MAKE_JOBS
# make install DESTDIR="$PKG_INSTDIR"

out=$PKG_INSTDIR$PKG_DIR
mkdir -p "$out/bin" "$out/share/licenses/${name}"
$CC -static -s -o "$out/bin/${name}" hello.c
cp ../LICENSE "$out/share/licenses/${name}/LICENSE"
`,
  'test.sh': `set -e

# In a root of the package, what it needs to run, and Depends-Test; servers can be asked on 127.0.0.1.
test "$(${name})" = "hello from ${name}"
`,
  'hello.c': `#include <stdio.h>

int main(void)
{
	puts("hello from ${name}");
	return 0;
}
`,
  LICENSE: `The text of the licence, as upstream has it.
`,
});
