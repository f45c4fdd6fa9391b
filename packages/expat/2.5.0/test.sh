set -e
cd "$(mktemp -d)"

# Canonical form: attributes in order, entities resolved, no empty elements.
printf '<?xml version="1.0"?>\n<!DOCTYPE r [<!ENTITY e "text">]>\n<r b="2" a="1"><c/>&e;</r>\n' >good.xml
mkdir out
xmlwf -d out good.xml
test "$(cat out/good.xml)" = '<r a="1" b="2"><c></c>text</r>'

# What is not well-formed is said with its place.
printf '<r>\n<c></r>\n' >bad.xml
status=0
xmlwf bad.xml >said || status=$?
test "$status" = 2
grep '^bad.xml:2:5: mismatched tag$' said

# A billion laughs are refused and not laughed.
{
	printf '<!DOCTYPE r [<!ENTITY a0 "ha">\n'
	for i in 1 2 3 4 5 6 7 8 9; do
		p=$((i - 1))
		printf '<!ENTITY a%d "&a%d;&a%d;&a%d;&a%d;&a%d;&a%d;&a%d;&a%d;&a%d;&a%d;">\n' $i $p $p $p $p $p $p $p $p $p $p
	done
	printf ']><r>&a9;</r>\n'
} >laughs.xml
status=0
xmlwf laughs.xml >said || status=$?
test "$status" = 2
grep 'amplification' said
