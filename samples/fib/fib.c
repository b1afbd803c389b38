// Prints the first Fibonacci numbers, each computed by plain recursion.
//
// Usage: fib [LAST]      (LAST is 10 when not given)

#include <stdio.h>
#include <stdlib.h>

int fib(int n) {
    if (n < 2)
        return n;
    int before_last = fib(n - 2);
    int last = fib(n - 1);
    return before_last + last;
}

int main(int argc, char **argv) {
    int limit = argc > 1 ? atoi(argv[1]) : 10;
    for (int n = 0; n <= limit; n++) {
        int result = fib(n);
        printf("fib(%d) = %d\n", n, result);
    }
    return 0;
}
