// The stock of a small bicycle workshop.
//
// Items live in a hash table whose buckets are linked lists. A day's orders
// are worked off from a queue; at the end the shelves are counted and compared
// with the books. The exit status is 0 when the two agree, otherwise 1.

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 4

typedef int32_t cents;

enum kind { KIND_PIECES, KIND_BULK, KIND_KIT };

struct place {
    char aisle;
    uint8_t shelf;
    struct {
        uint16_t column;
        uint16_t row;
    } bin;
};

// A kit is put together from other items, which may be kits themselves.
struct component {
    const struct item *item;
    unsigned quantity;
    struct component *next;
};

union stock {
    uint32_t pieces;
    double kilograms;
    struct component *components;
};

struct item {
    char name[16];
    enum kind kind;
    union stock stock;
    cents price; // of a piece or a kilogram; a kit's follows from its parts
    struct place place;
    bool fragile;
    struct item *next; // in the same bucket
};

struct warehouse {
    const char *owner;
    struct item *buckets[BUCKETS];
    unsigned item_count;
};

enum action { ACTION_RECEIVE, ACTION_SHIP, ACTION_DISCONTINUE };

struct order {
    enum action action;
    const char *name;
    double amount;
    struct order *next;
};

struct queue {
    struct order *first;
    struct order **end; // where the next order is linked in
};

static unsigned orders_refused = 0;

// ---------------------------------------------------------------- hash table

static uint32_t hash_of(const char *text) {
    uint32_t hash = 2166136261u;
    for (const char *letter = text; *letter != '\0'; letter++)
        hash = (hash ^ (uint8_t)*letter) * 16777619u;
    return hash;
}

static struct item *find_item(const struct warehouse *warehouse, const char *name) {
    struct item *item = warehouse->buckets[hash_of(name) % BUCKETS];
    while (item != NULL && strcmp(item->name, name) != 0)
        item = item->next;
    return item;
}

static struct item *add_item(struct warehouse *warehouse, const char *name,
                             enum kind kind, cents price, struct place place) {
    struct item *item = calloc(1, sizeof *item);
    if (item == NULL)
        abort();
    strncpy(item->name, name, sizeof item->name - 1);
    item->kind = kind;
    item->price = price;
    item->place = place;

    struct item **bucket = &warehouse->buckets[hash_of(name) % BUCKETS];
    item->next = *bucket;
    *bucket = item;
    warehouse->item_count++;
    return item;
}

static bool remove_item(struct warehouse *warehouse, const char *name) {
    struct item **bucket = &warehouse->buckets[hash_of(name) % BUCKETS];
    for (struct item *item = *bucket; item != NULL; item = item->next) {
        if (strcmp(item->name, name) == 0) {
            *bucket = item->next;
            warehouse->item_count--;
            free(item);
            return true;
        }
    }
    return false;
}

// --------------------------------------------------------------------- value

static void add_component(struct item *kit, const struct item *part, unsigned quantity) {
    struct component *component = malloc(sizeof *component);
    if (component == NULL)
        abort();
    *component = (struct component){part, quantity, kit->stock.components};
    kit->stock.components = component;
}

static cents price_of(const struct item *item) {
    if (item->kind != KIND_KIT)
        return item->price;
    cents sum = 0;
    for (const struct component *part = item->stock.components; part != NULL; part = part->next) {
        cents each = price_of(part->item);
        sum += each * (cents)part->quantity;
    }
    return sum;
}

static cents value_of_pieces(const struct item *item) {
    return item->price * (cents)item->stock.pieces;
}

static cents value_of_bulk(const struct item *item) {
    return (cents)(item->price * item->stock.kilograms);
}

// A kit is put together when it is sold: the shelf holds one to show.
static cents value_of_kit(const struct item *item) {
    return price_of(item);
}

static cents (*const value_functions[])(const struct item *) = {
    [KIND_PIECES] = value_of_pieces,
    [KIND_BULK] = value_of_bulk,
    [KIND_KIT] = value_of_kit,
};

// -------------------------------------------------------------------- orders

static void enqueue(struct queue *queue, enum action action, const char *name, double amount) {
    struct order *order = malloc(sizeof *order);
    if (order == NULL)
        abort();
    *order = (struct order){action, name, amount, NULL};
    *queue->end = order;
    queue->end = &order->next;
}

static bool change_stock(struct item *item, double change) {
    switch (item->kind) {
    case KIND_PIECES: {
        int64_t pieces = (int64_t)item->stock.pieces + (int64_t)change;
        if (pieces < 0)
            return false;
        item->stock.pieces = (uint32_t)pieces;
        return true;
    }
    case KIND_BULK: {
        double kilograms = item->stock.kilograms + change;
        if (kilograms < 0)
            return false;
        item->stock.kilograms = kilograms;
        return true;
    }
    case KIND_KIT:
        return false;
    }
    return false;
}

static bool carry_out(struct warehouse *warehouse, const struct order *order) {
    struct item *item = find_item(warehouse, order->name);
    if (item == NULL)
        return false;
    switch (order->action) {
    case ACTION_RECEIVE:
        return change_stock(item, order->amount);
    case ACTION_SHIP:
        return change_stock(item, -order->amount);
    case ACTION_DISCONTINUE:
        return remove_item(warehouse, order->name);
    }
    return false;
}

static void work_off(struct warehouse *warehouse, struct queue *queue) {
    static const char *const verbs[] = {"receive", "ship", "discontinue"};
    while (queue->first != NULL) {
        struct order *order = queue->first;
        bool done = carry_out(warehouse, order);
        if (!done)
            orders_refused++;
        printf("%-11s %-12s %s\n", verbs[order->action], order->name, done ? "done" : "refused");
        queue->first = order->next;
        free(order);
    }
    queue->end = &queue->first;
}

// -------------------------------------------------------------------- report

static unsigned count_shelves(const struct warehouse *warehouse, cents *total) {
    unsigned count = 0;
    *total = 0;
    for (unsigned index = 0; index < BUCKETS; index++) {
        for (const struct item *item = warehouse->buckets[index]; item != NULL; item = item->next) {
            cents value = value_functions[item->kind](item);
            printf("  %c%u  %-12s %5d.%02d\n", item->place.aisle, item->place.shelf, item->name,
                   value / 100, value % 100);
            *total += value;
            count++;
        }
    }
    return count;
}

// ---------------------------------------------------------------------- main

static void fill(struct warehouse *warehouse) {
    struct item *spoke = add_item(warehouse, "spoke", KIND_PIECES, 45, (struct place){'A', 1, {0, 3}});
    spoke->stock.pieces = 400;
    struct item *rim = add_item(warehouse, "rim", KIND_PIECES, 2450, (struct place){'A', 2, {1, 0}});
    rim->stock.pieces = 12;
    struct item *hub = add_item(warehouse, "hub", KIND_PIECES, 3120, (struct place){'A', 3, {2, 1}});
    hub->stock.pieces = 9;
    struct item *chain = add_item(warehouse, "chain", KIND_PIECES, 1890, (struct place){'B', 1, {0, 0}});
    chain->stock.pieces = 6;
    struct item *saddle = add_item(warehouse, "saddle", KIND_PIECES, 2999, (struct place){'B', 2, {4, 2}});
    saddle->stock.pieces = 3;
    struct item *lamp = add_item(warehouse, "lamp", KIND_PIECES, 1575, (struct place){'B', 3, {5, 5}});
    lamp->stock.pieces = 8;
    lamp->fragile = true;
    struct item *grease = add_item(warehouse, "grease", KIND_BULK, 1250, (struct place){'C', 1, {0, 7}});
    grease->stock.kilograms = 2.5;
    struct item *rubber = add_item(warehouse, "rubber", KIND_BULK, 380, (struct place){'C', 2, {1, 7}});
    rubber->stock.kilograms = 10.25;

    struct item *wheel = add_item(warehouse, "wheel", KIND_KIT, 0, (struct place){'D', 1, {0, 0}});
    add_component(wheel, hub, 1);
    add_component(wheel, rim, 1);
    add_component(wheel, spoke, 32);
    struct item *wheel_set = add_item(warehouse, "wheel set", KIND_KIT, 0, (struct place){'D', 2, {0, 0}});
    add_component(wheel_set, wheel, 2);
}

int main(void) {
    struct warehouse warehouse = {.owner = "Spoke & Sons"};
    struct queue orders = {.first = NULL};
    orders.end = &orders.first;

    fill(&warehouse);
    enqueue(&orders, ACTION_SHIP, "spoke", 64);
    enqueue(&orders, ACTION_RECEIVE, "saddle", 5);
    enqueue(&orders, ACTION_SHIP, "lamp", 20);
    enqueue(&orders, ACTION_SHIP, "grease", 0.75);
    enqueue(&orders, ACTION_DISCONTINUE, "lamp", 0);
    enqueue(&orders, ACTION_RECEIVE, "pedal", 2);

    printf("%s: %u items\n", warehouse.owner, warehouse.item_count);
    work_off(&warehouse, &orders);

    cents total;
    unsigned counted = count_shelves(&warehouse, &total);
    printf("total value %d.%02d, %u orders refused\n", total / 100, total % 100, orders_refused);
    printf("books: %u items, shelves: %u items\n", warehouse.item_count, counted);
    return counted == warehouse.item_count ? EXIT_SUCCESS : EXIT_FAILURE;
}
