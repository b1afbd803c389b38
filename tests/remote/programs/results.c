// Every way in which a function can return a value, for the debuggers that finish it. Built with
//     clang --target=wasm32 -nostdlib -g -O0 -ffile-prefix-map=$PWD=/wdb/tests/remote/programs -Wl,--export=_start \
//         results.c -o results.wasm

struct two_ints { int x, y; };
struct float_and_int { double a; long long b; };
struct two_floats { double a, b; };
struct large { int items[6]; };
struct two_longs { long long a, b; };

struct two_ints two_ints(int k) {
    return (struct two_ints){k, k + 1};
}

struct float_and_int float_and_int(int k) {
    return (struct float_and_int){k + 0.5, k + 1};
}

struct two_floats two_floats(int k) {
    return (struct two_floats){k + 0.5, k + 1.5};
}

struct large large(int k) {
    return (struct large){{k, k + 1, k + 2, 4, 5, 6}};
}

struct two_longs two_longs(int k) {
    return (struct two_longs){k, -k};
}

double half(int k) {
    return k / 2.0;
}

float third(int k) {
    return k / 3.0f;
}

long long big(int k) {
    return k * 1000000000000LL;
}

void _start(void) {
    two_ints(3);
    float_and_int(4);
    two_floats(5);
    large(6);
    two_longs(7);
    half(9);
    third(3);
    big(2);
}
