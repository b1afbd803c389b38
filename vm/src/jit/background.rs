//! Compiling on a thread beside, while the program runs.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use wdb_codegen::{Compiled, Compiler, Level, Start, Translated};

use super::{Code, Jit};
use crate::address::FuncAddr;

/// A function to compile.
struct Order {
    unit: u32,
    func: FuncAddr,
    start: Start,
    level: Level,
    translated: Translated,
    /// The time that translating took.
    translation: Duration,
}

/// What has come of it.
struct Delivery {
    unit: u32,
    func: FuncAddr,
    start: Start,
    level: Level,
    compiled: Result<Compiled, String>,
    compilation: Duration,
}

/// The thread, which ends when this is dropped.
pub(super) struct Background {
    orders: Sender<Order>,
    deliveries: Receiver<Delivery>,
    /// Orders that were not delivered yet.
    in_flight: usize,
}

/// The native stack of the thread.
const STACK_BYTES: usize = 16 << 20;

impl Background {
    /// `None` where no thread can be had.
    fn start() -> Option<Background> {
        let (orders, incoming) = channel::<Order>();
        let (outgoing, deliveries) = channel();
        let thread = std::thread::Builder::new()
            .name("compiler".to_owned())
            .stack_size(STACK_BYTES);
        let work = move || {
            let mut compiler = Compiler::new();
            for order in incoming {
                let begin = Instant::now();
                let compiled = match &mut compiler {
                    Ok(compiler) => compiler.finish(order.translated),
                    Err(error) => Err(error.clone()),
                };
                let delivery = Delivery {
                    unit: order.unit,
                    func: order.func,
                    start: order.start,
                    level: order.level,
                    compiled: compiled.map_err(|error| error.to_string()),
                    compilation: order.translation + begin.elapsed(),
                };
                if outgoing.send(delivery).is_err() {
                    return;
                }
            }
        };
        thread.spawn(work).ok()?;
        Some(Background {
            orders,
            deliveries,
            in_flight: 0,
        })
    }
}

impl Jit {
    /// Has a translated function compiled in the background. Gives it back where no thread can be had.
    pub(super) fn order(
        &mut self,
        unit: u32,
        (func, start): (FuncAddr, Start),
        level: Level,
        (translated, translation): (Translated, Duration),
    ) -> Result<Code, Translated> {
        if self.background.is_none() {
            self.background = Background::start();
        }
        let Some(background) = &mut self.background else {
            return Err(translated);
        };
        let order = Order {
            unit,
            func,
            start,
            level,
            translated,
            translation,
        };
        match background.orders.send(order) {
            Ok(()) => {
                background.in_flight += 1;
                Ok(Code::Pending(unit))
            }
            Err(refused) => Err(refused.0.translated),
        }
    }

    /// The thread has died: what it was to compile gets no code.
    fn give_up_orders(&mut self) {
        self.background = None;
        self.cancelled.clear();
        let obstacle = "the compiler has failed";
        for (state, index) in self.funcs.iter_mut().zip(0..) {
            let Some(state) = state else { continue };
            let frames = state.frames.values_mut().map(|frame| &mut frame.code);
            for code in state.call.iter_mut().chain(frames) {
                if matches!(code, Code::Pending(_)) {
                    *code = Code::Impossible;
                    self.obstacles.insert(FuncAddr(index), obstacle.to_owned());
                }
            }
        }
    }

    /// Makes what was compiled in the background ready to run; waits for so long for one of them. Answers whether there was one.
    pub(super) fn receive(&mut self, patience: Duration) -> bool {
        let Some(background) = &mut self.background else {
            return false;
        };
        if background.in_flight == 0 {
            return false;
        }
        let delivery = match background.deliveries.recv_timeout(patience) {
            Ok(delivery) => delivery,
            Err(RecvTimeoutError::Timeout) => return false,
            Err(RecvTimeoutError::Disconnected) => {
                self.give_up_orders();
                return false;
            }
        };
        background.in_flight -= 1;
        let unit = delivery.unit;
        if let Some(position) = self.cancelled.iter().position(|&number| number == unit) {
            self.cancelled.swap_remove(position);
            self.free_units.push(unit);
            return true;
        }
        let place = (delivery.func, delivery.start);
        let level = delivery.level;
        let code = self.install(unit, place, delivery.compiled, level, delivery.compilation);
        self.set_code(place, level, code);
        true
    }
}
