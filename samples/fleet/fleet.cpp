// What a haulier's vehicles cost on a day's trips, in whole cents.
//
// Every kind of vehicle has its own way to work out the cost of a trip. The
// program prints a bill for each customer and a summary for each vehicle, and
// compares the two sums. The exit status is 0 when they are equal, otherwise 1.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace fleet {

using Cents = std::int64_t;

enum class Fuel : std::uint8_t { Diesel, Electric, None };

struct Trip {
    std::string customer;
    std::string vehicle;
    int kilometres;
    std::optional<int> load_kilograms;
};

class Vehicle {
public:
    Vehicle(std::string name, Fuel fuel, Cents per_kilometre)
        : name_(std::move(name)), fuel_(fuel), per_kilometre_(per_kilometre) {}
    virtual ~Vehicle() = default;

    virtual Cents cost(const Trip &trip) const { return per_kilometre_ * trip.kilometres; }

    const std::string &name() const { return name_; }
    Fuel fuel() const { return fuel_; }

protected:
    std::string name_;
    Fuel fuel_;
    Cents per_kilometre_;
};

class Truck : public Vehicle {
public:
    Truck(std::string name, Cents per_kilometre, Cents toll)
        : Vehicle(std::move(name), Fuel::Diesel, per_kilometre), toll_(toll) {}

    Cents cost(const Trip &trip) const override {
        Cents driving = Vehicle::cost(trip);
        Cents loading = trip.load_kilograms.value_or(0) / 100 * loading_per_100_kilograms;
        return driving + loading + toll_;
    }

private:
    static constexpr Cents loading_per_100_kilograms = 150;
    Cents toll_;
};

class Van final : public Vehicle {
public:
    Van(std::string name, double battery_factor)
        : Vehicle(std::move(name), Fuel::Electric, 38), battery_factor_(battery_factor) {}

    Cents cost(const Trip &trip) const override {
        return static_cast<Cents>(static_cast<double>(Vehicle::cost(trip)) * battery_factor_);
    }

private:
    double battery_factor_;
};

class CargoBike final : public Vehicle {
public:
    explicit CargoBike(std::string name) : Vehicle(std::move(name), Fuel::None, 10) {}
};

// Amounts under a key, and how often each key was charged.
template <typename Key>
class Ledger {
public:
    struct Line {
        int entries = 0;
        Cents sum = 0;
    };

    void charge(const Key &key, Cents amount) {
        Line &line = lines_[key];
        line.entries++;
        line.sum += amount;
    }

    template <typename Visitor>
    void for_each(Visitor visit) const {
        for (const auto &[key, line] : lines_)
            visit(key, line);
    }

    Cents total() const {
        Cents total = 0;
        for_each([&total](const Key &, const Line &line) { total += line.sum; });
        return total;
    }

private:
    std::map<Key, Line> lines_;
};

class Depot {
public:
    template <typename Kind, typename... Arguments>
    void add(Arguments &&...arguments) {
        vehicles_.push_back(std::make_unique<Kind>(std::forward<Arguments>(arguments)...));
    }

    const Vehicle *find(const std::string &name) const {
        auto found = std::find_if(vehicles_.begin(), vehicles_.end(),
                                  [&name](const auto &vehicle) { return vehicle->name() == name; });
        return found == vehicles_.end() ? nullptr : found->get();
    }

private:
    std::vector<std::unique_ptr<Vehicle>> vehicles_;
};

const char *fuel_name(Fuel fuel) {
    switch (fuel) {
    case Fuel::Diesel:
        return "diesel";
    case Fuel::Electric:
        return "electric";
    case Fuel::None:
        return "none";
    }
    return "?";
}

constexpr Cents fee = 500;

// What the customer pays for the trip.
Cents price(Vehicle vehicle, const Trip &trip) {
    return vehicle.cost(trip) + fee;
}

// What the vehicle earns by the trip: the same.
Cents earnings(const Vehicle &vehicle, const Trip &trip) {
    return vehicle.cost(trip) + fee;
}

std::string money(Cents amount) {
    std::string cents = std::to_string(amount % 100);
    if (cents.size() < 2)
        cents.insert(0, "0");
    return std::to_string(amount / 100) + "." + cents;
}

} // namespace fleet

int main() {
    using namespace fleet;

    Depot depot;
    depot.add<Truck>("Hercules", 145, 1200);
    depot.add<Truck>("The one with the crane on it", 190, 2350);
    depot.add<Van>("Sparky", 1.25);
    depot.add<CargoBike>("Pedro");

    std::vector<Trip> trips = {
        {"Bakery", "Pedro", 6, std::nullopt},
        {"Sawmill", "The one with the crane on it", 84, 7400},
        {"Theatre", "Sparky", 31, 250},
        {"Bakery", "Sparky", 12, 180},
        {"Theatre", "Hercules", 55, 3100},
        {"Florist", "Pegasus", 3, std::nullopt},
        {"Sawmill", "Hercules", 84, 9000},
    };
    std::stable_sort(trips.begin(), trips.end(), [](const Trip &left, const Trip &right) {
        return left.kilometres < right.kilometres;
    });

    Ledger<std::string> bills;
    Ledger<std::pair<Fuel, std::string>> summary;
    for (const Trip &trip : trips) {
        const Vehicle *vehicle = depot.find(trip.vehicle);
        if (vehicle == nullptr) {
            std::printf("there is no vehicle named %s\n", trip.vehicle.c_str());
            continue;
        }
        bills.charge(trip.customer, price(*vehicle, trip));
        summary.charge({vehicle->fuel(), vehicle->name()}, earnings(*vehicle, trip));
    }

    std::printf("bills\n");
    bills.for_each([](const std::string &customer, const auto &line) {
        std::printf("  %-30s %d trips %10s\n", customer.c_str(), line.entries, money(line.sum).c_str());
    });
    std::printf("vehicles\n");
    summary.for_each([](const auto &key, const auto &line) {
        std::printf("  %-10s %-30s %d trips %10s\n", fuel_name(key.first), key.second.c_str(), line.entries,
                    money(line.sum).c_str());
    });
    std::printf("billed %s, earned %s\n", money(bills.total()).c_str(), money(summary.total()).c_str());
    return bills.total() == summary.total() ? 0 : 1;
}
