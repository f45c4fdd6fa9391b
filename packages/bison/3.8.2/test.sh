set -e
cat >calc.y <<'END'
%{
int yylex(void);
void yyerror(const char *);
%}
%token NUM
%left '+'
%%
sum: NUM | sum '+' NUM { $$ = $1 + $3; };
END
bison -d -o calc.c calc.y
grep -q 'yyparse (void)' calc.c
grep -q NUM calc.h
