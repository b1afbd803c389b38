/* A mix of what embedded programs do, in the spirit of EEMBC's CoreMark but written anew: linked lists that are sorted
   and searched, small integer matrices, a state machine over text, and a checksum over all results. CC0. */
#include "bench.h"

typedef struct Item {
    struct Item *next;
    int16_t key, tag;
} Item;

static Item items[200];
static int16_t a[20][20], b[20][20];
static int32_t c[20][20];
static char text[512];

static uint16_t crc(uint16_t value, uint16_t data) {
    for (int bit = 0; bit < 16; bit++) {
        int carry = (value ^ data) & 1;
        value = value >> 1;
        data >>= 1;
        if (carry) value ^= 0xa001;
    }
    return value;
}

static Item *merge_sort(Item *list, int by_key) {
    if (!list || !list->next) return list;
    Item *slow = list, *fast = list->next;
    while (fast && fast->next) { slow = slow->next; fast = fast->next->next; }
    Item *second = slow->next;
    slow->next = 0;
    Item *left = merge_sort(list, by_key), *right = merge_sort(second, by_key);
    Item head, *tail = &head;
    while (left && right) {
        int less = by_key ? left->key <= right->key : left->tag <= right->tag;
        Item **from = less ? &left : &right;
        tail->next = *from;
        tail = *from;
        *from = (*from)->next;
    }
    tail->next = left ? left : right;
    return head.next;
}

static Item *reverse(Item *list) {
    Item *result = 0;
    while (list) { Item *next = list->next; list->next = result; result = list; list = next; }
    return result;
}

static uint16_t lists(int seed) {
    for (int i = 0; i < 200; i++) {
        items[i].next = i + 1 < 200 ? &items[i + 1] : 0;
        items[i].key = (int16_t)((i * 7919 + seed) % 1009);
        items[i].tag = (int16_t)i;
    }
    Item *list = merge_sort(items, 1);
    uint16_t sum = 0;
    for (int wanted = 0; wanted < 40; wanted++) {
        Item *item = list;
        while (item && item->key != wanted * 25) item = item->next;
        sum = crc(sum, item ? (uint16_t)item->tag : 0xffff);
    }
    list = merge_sort(reverse(list), 0);
    for (Item *item = list; item; item = item->next) sum = crc(sum, (uint16_t)item->key);
    return sum;
}

static uint16_t matrices(int seed) {
    uint16_t sum = 0;
    for (int i = 0; i < 20; i++)
        for (int j = 0; j < 20; j++) {
            a[i][j] = (int16_t)(i * j + seed);
            b[i][j] = (int16_t)(i - j * seed);
        }
    for (int i = 0; i < 20; i++)
        for (int j = 0; j < 20; j++) {
            int32_t dot = 0;
            for (int k = 0; k < 20; k++) dot += a[i][k] * b[k][j];
            c[i][j] = dot;
        }
    for (int i = 0; i < 20; i++)
        for (int j = 0; j < 20; j++) sum += (uint16_t)((c[i][j] >> 2 & 15) * (c[i][j] >> 5 & 127));
    return sum;
}

enum State { START, INT, FLOAT, EXPONENT, INVALID };

static uint16_t machine(int seed) {
    static const char *words[] = {"512", "-7", "+3.25", "1e9", "6.02e+23", "x12", "0..1", "-.5"};
    int length = 0, counts[5] = {0};
    for (int i = 0; length < 490; i++) {
        const char *word = words[(i * 5 + seed) & 7];
        while (*word) text[length++] = *word++;
        text[length++] = ',';
    }
    enum State state = START;
    for (int i = 0; i < length; i++) {
        char ch = text[i];
        if (ch == ',') { counts[state]++; state = START; continue; }
        int digit = ch >= '0' && ch <= '9';
        switch (state) {
        case START: state = digit || ch == '-' || ch == '+' ? INT : ch == '.' ? FLOAT : INVALID; break;
        case INT: if (!digit) state = ch == '.' ? FLOAT : ch == 'e' ? EXPONENT : INVALID; break;
        case FLOAT: if (!digit) state = ch == 'e' ? EXPONENT : INVALID; break;
        case EXPONENT: if (!digit && ch != '+' && ch != '-') state = INVALID; break;
        case INVALID: break;
        }
    }
    uint16_t sum = 0;
    for (int i = 0; i < 5; i++) sum = crc(sum, (uint16_t)counts[i]);
    return sum;
}

uint64_t kernel(uint32_t n) {
    uint64_t sum = 0;
    for (uint32_t i = 0; i < n; i++) {
        sum = crc((uint16_t)sum, lists(i & 63));
        sum = crc((uint16_t)sum, matrices(i & 15));
        sum = crc((uint16_t)sum, machine(i & 7));
    }
    return sum;
}
BENCH_MAIN("core", 600)
