// A depot refuels its vehicles; what goes wrong is told by exceptions.
//
//     wdb samples/depot/depot.wasm [VEHICLES]

#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>

namespace fuel {

// Thrown by value, without a base.
struct tank_empty {
    int litres_missing;
    const char *vehicle;
};

class leak : public std::runtime_error {
public:
    leak(int litres_per_hour)
        : std::runtime_error("the tank leaks"), litres_per_hour(litres_per_hour) {}

    int litres_per_hour;
};

} // namespace fuel

// Says when a vehicle leaves the pump, however it does.
struct Visit {
    int vehicle;

    explicit Visit(int vehicle) : vehicle(vehicle) {}
    ~Visit() { std::printf("  vehicle %d leaves the pump\n", vehicle); }
};

static int refuel(int vehicle) {
    Visit visit(vehicle);
    switch (vehicle) {
    case 1:
        throw fuel::tank_empty{12, "lorry"};
    case 2:
        throw fuel::leak(7);
    case 3:
        throw vehicle * 100;
    case 4:
        throw std::string("the pump is closed");
    default:
        return 40 + vehicle;
    }
}

static int checked(int vehicle) {
    try {
        return refuel(vehicle);
    } catch (int code) {
        std::printf("  code %d\n", code);
        throw;
    }
}

static int serve(int vehicle) {
    try {
        return checked(vehicle);
    } catch (const fuel::tank_empty &problem) {
        std::printf("  %s: %d litres are missing\n", problem.vehicle, problem.litres_missing);
    } catch (const std::exception &problem) {
        std::printf("  %s\n", problem.what());
    }
    return 0;
}

int main(int argc, char **argv) {
    int vehicles = argc > 1 ? std::atoi(argv[1]) : 4;
    int litres = 0;
    for (int vehicle = 0; vehicle < vehicles; vehicle++) {
        std::printf("vehicle %d\n", vehicle);
        try {
            litres += serve(vehicle);
        } catch (int) {
            std::puts("  not served");
        }
    }
    std::printf("%d litres\n", litres);
    return 0;
}
