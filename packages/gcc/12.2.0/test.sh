set -e
cat >hello.c <<'END'
#include <stdio.h>
int main(void) { return puts("hello") < 0; }
END
cat >hello.cc <<'END'
#include <iostream>
#include <regex>
#include <stdexcept>
#include <thread>
int main() {
	try {
		if (std::regex_match("abbbc", std::regex("ab+c"))) throw std::runtime_error("thrown");
	} catch (const std::exception &e) {
		std::thread([&] { std::cout << e.what() << std::endl; }).join();
	}
}
END
gcc -O2 -o c hello.c
[ "$(./c)" = hello ]
g++ -O2 -o cc hello.cc
[ "$(./cc)" = thrown ]
# Nothing that is linked needs an interpreter.
for program in c cc; do
	if readelf -l "$program" | grep -q INTERP; then
		exit 1
	fi
done
