set -e
cat >count.l <<'END'
%option noyywrap
%{
int words;
%}
%%
[a-z]+ words++;
.|\n ;
%%
int main(void) {
	yylex();
	return words;
}
END
flex -o count.c count.l
gcc -o count count.c
status=0
echo 'three small words' | ./count || status=$?
[ "$status" = 3 ]
