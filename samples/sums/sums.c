// Adds up the numbers of each line it reads, until the input ends or a line
// says "quit". At the end it prints the longest line and the sum of all.

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NUMBERS_MAX 8

struct entry {
    long numbers[NUMBERS_MAX];
    int count;
    long sum;
};

struct totals {
    int lines;
    int longest_line;
    int longest_count;
    long sum;
};

static void add_number(struct entry *entry, long number) {
    if (entry->count <= NUMBERS_MAX) {
        entry->numbers[entry->count] = number;
        entry->count++;
        entry->sum += number;
    }
}

// Returns false when the text holds something that is no number.
static bool parse(const char *text, struct entry *entry) {
    const char *position = text;
    for (;;) {
        position += strspn(position, " \t\r\n");
        if (*position == '\0')
            return true;
        char *end;
        long number = strtol(position, &end, 10);
        if (end == position)
            return false;
        add_number(entry, number);
        position = end;
    }
}

static void add_entry(struct totals *totals, const struct entry *entry) {
    totals->lines++;
    totals->sum += entry->sum;
    if (entry->count > totals->longest_count) {
        totals->longest_line = totals->lines;
        totals->longest_count = entry->count;
    }
}

int main(void) {
    char text[128];
    struct totals totals = {0};

    printf("Up to %d numbers on a line; \"quit\" ends.\n", NUMBERS_MAX);
    for (;;) {
        printf("> ");
        fflush(stdout);
        if (fgets(text, sizeof text, stdin) == NULL || strcmp(text, "quit\n") == 0)
            break;
        struct entry entry = {0};
        if (!parse(text, &entry)) {
            printf("Only numbers, please.\n");
            continue;
        }
        add_entry(&totals, &entry);
        printf("%d numbers, sum %ld\n", entry.count, entry.sum);
    }
    printf("\n%d lines, sum %ld", totals.lines, totals.sum);
    if (totals.longest_line > 0)
        printf("; line %d is the longest with %d numbers", totals.longest_line, totals.longest_count);
    printf("\n");
    return EXIT_SUCCESS;
}
