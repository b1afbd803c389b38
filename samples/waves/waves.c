/* Mixes two tones into eight samples at a time and tells how loud the result is. */

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <wasm_simd128.h>

enum { LANES = 8, SAMPLES = 64 };

/* Eight samples of 16 bits, four of them as numbers to compute with. */
typedef int16_t samples_t __attribute__((vector_size(16)));
typedef float wide_t __attribute__((vector_size(16)));

struct track {
    const char *name;
    samples_t gain; /* in 32768ths, one for each lane */
    samples_t samples[SAMPLES / LANES];
};

static struct track high = {"high", {0}, {{0}}};
static struct track low = {"low", {0}, {{0}}};

static void fill(struct track *track, int period, int16_t gain) {
    track->gain = (samples_t)wasm_i16x8_splat(gain);
    int16_t *samples = (int16_t *)track->samples;
    for (int i = 0; i < SAMPLES; i++) {
        int phase = i % period;
        /* A triangle: up for one half of the period, down for the other. */
        int up = phase < period / 2 ? phase : period - phase;
        samples[i] = (int16_t)(up * (65535 / (period / 2)) - 32768);
    }
}

/* The gain times the samples, rounded. */
static samples_t scaled(samples_t samples, samples_t gain) {
    return (samples_t)wasm_i16x8_q15mulr_sat((v128_t)samples, (v128_t)gain);
}

/* The sum of both; what is too loud becomes as loud as can be. */
static samples_t mixed(samples_t left, samples_t right) {
    return (samples_t)wasm_i16x8_add_sat((v128_t)left, (v128_t)right);
}

/* The squares of the lanes, the upper half added to the lower. */
static wide_t energy(samples_t samples) {
    wide_t lower = (wide_t)wasm_f32x4_convert_i32x4(wasm_i32x4_extend_low_i16x8((v128_t)samples));
    wide_t upper = (wide_t)wasm_f32x4_convert_i32x4(wasm_i32x4_extend_high_i16x8((v128_t)samples));
    return lower * lower + upper * upper;
}

int main(void) {
    fill(&high, 6, 14000);
    fill(&low, 32, 30000);
    wide_t total = {0, 0, 0, 0};
    int clipped = 0;
    for (int i = 0; i < SAMPLES / LANES; i++) {
        samples_t sum = mixed(scaled(high.samples[i], high.gain), scaled(low.samples[i], low.gain));
        total += energy(sum);
        clipped += __builtin_popcount(wasm_i16x8_bitmask(wasm_i16x8_eq((v128_t)sum, wasm_i16x8_splat(-32768))));
        printf("%6d %6d %6d %6d\n", sum[0], sum[2], sum[4], sum[6]);
    }
    float sum = total[0] + total[1] + total[2] + total[3];
    printf("loudness %.1f, %d samples clipped\n", sqrtf(sum / SAMPLES), clipped);
    return 0;
}
