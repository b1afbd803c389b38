//! Random clients of the remote protocol: packets that make sense, packets with bytes changed, parts of packets, noise, and clients that
//! leave at any point. The session has to survive them all, each client is answered, and nothing grows.
//!
//! ```text
//! cargo run --release --manifest-path fuzz/Cargo.toml --bin protocol -- --seconds 600
//! cargo run --release --manifest-path fuzz/Cargo.toml --bin protocol -- --seed 42 --count 1
//! ```
//!
//! A finding prints its seed and what was sent, and ends with status 1.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use clap::Parser;
use wdb_debugger::ProgramSource;
use wdb_debugger::session::{Session, SessionOptions, StdinChoice};
use wdb_gdbstub::Server;

/// Talks nonsense to the remote protocol's server.
#[derive(Parser)]
struct Arguments {
    /// How long to go on
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// How many clients at most
    #[arg(long, default_value_t = u64::MAX)]
    count: u64,
    /// The first client's seed; each further one is greater by one
    #[arg(long)]
    seed: Option<u64>,
}

/// What random packets are made from: one of each kind that the server knows, and of some that it does not.
const PACKETS: &[&str] = &[
    "?",
    "!",
    "g",
    "G00",
    "p0",
    "p10",
    "P10=00",
    "qC",
    "qSupported:qRelocInsn+",
    "qSupported:xmlRegisters=i386",
    "m0,40",
    "m10b70,4",
    "m4000000000000000,100",
    "mf0000000,40",
    "mffffff00,80",
    "mfeffff00,80",
    "mff000000,40",
    "mefff0000,40",
    "M10b70,4:00000000",
    "X10b70,4:abcd",
    "x0,10",
    "Mffffff60,8:0000000000000000",
    "Z0,400000000000020b,1",
    "z0,400000000000020b,1",
    "Z0,400000000000020b,1;Xf,260006192208021916202303e81327",
    "Z0,400000000000020b,1;X6,210000220127",
    "Z2,10b70,4",
    "z2,10b70,4",
    "Z3,10b70,4",
    "Z4,10b70,8",
    "z4,10b70,8",
    "s",
    "vCont;s:1",
    "vCont;c",
    "c",
    "\u{3}",
    "vCont;r400000000000020b,4000000000000220:1",
    "vCont?",
    "vRun;",
    "vKill;1",
    "R00",
    "k",
    "D",
    "vCtrlC",
    "qWasmCallStack:1",
    "qWasmLocal:0;0",
    "qWasmLocal:1;2",
    "qWasmGlobal:0;0",
    "qWasmStackValue:0;0",
    "qMemoryRegionInfo:0",
    "qMemoryRegionInfo:4000000000000000",
    "qMemoryRegionInfo:ffffffffffffffff",
    "qXfer:libraries:read::0,fff",
    "qXfer:features:read:target.xml:0,fff",
    "qXfer:exec-file:read:1:0,fff",
    "vFile:setfs:0",
    "vFile:open:2f7764622f70726f6772616d,0,0",
    "vFile:fstat:3",
    "vFile:pread:3,100,0",
    "vFile:close:3",
    "qOffsets",
    "qHostInfo",
    "qProcessInfo",
    "qRegisterInfo0",
    "qRegisterInfo1",
    "QStartNoAckMode",
    "qRcmd,6274",
    "qRcmd,696e666f206c6f63616c73",
    "qRcmd,7175697420",
    "qRcmd,73746570",
    "qThreadStopInfo1",
    "qAttached",
    "_M10,rw",
    "jThreadsInfo",
    "bc",
    "Hg0",
    "T1",
    "qfThreadInfo",
    "qsThreadInfo",
    "QThreadSuffixSupported",
];

static PANICKED: AtomicBool = AtomicBool::new(false);

fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    let report = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        PANICKED.store(true, Ordering::SeqCst);
        report(panic);
    }));
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples/fib/fib.wasm");
    let options = SessionOptions {
        args: vec!["12".to_owned()],
        stdin: StdinChoice::Empty,
        ..SessionOptions::default()
    };
    let session = Session::open(ProgramSource::File(sample), options)?;
    let server = Server::bind(&session, "0")?;
    let address = server.address();
    server.spawn()?;
    let first = arguments.seed.unwrap_or_else(seed_of_now);
    println!("first seed {first}");
    let began = Instant::now();
    let (mut clients, mut memory) = (0, None);
    while clients < arguments.count && began.elapsed() < Duration::from_secs(arguments.seconds) {
        let seed = first.wrapping_add(clients);
        if let Err(error) = client(&address, seed) {
            println!("seed {seed}: {error:#}");
            return Ok(ExitCode::FAILURE);
        }
        clients += 1;
        // The first clients fill caches.
        if clients == 500 {
            memory = resident_kib();
        }
        if let (Some(before), Some(now)) = (memory, resident_kib())
            && now > before + (64 << 10)
        {
            println!("seed {seed}: {before} KiB have become {now} KiB");
            return Ok(ExitCode::FAILURE);
        }
    }
    println!(
        "{clients} clients in {:.0} s, nothing found",
        began.elapsed().as_secs_f64()
    );
    Ok(ExitCode::SUCCESS)
}

fn seed_of_now() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(1, |it| it.as_secs())
}

/// The most memory that this process has used.
fn resident_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

/// A client that talks nonsense, and after it one that has to be answered.
fn client(address: &str, seed: u64) -> anyhow::Result<()> {
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let mut stream = TcpStream::connect(address).context("connecting")?;
    stream.set_write_timeout(Some(Duration::from_secs(1)))?;
    let mut sent = Vec::new();
    for _ in 0..random.below(40) {
        let bytes = random.message();
        sent.extend_from_slice(&bytes);
        // The server may have closed the connection, after a `k` for example.
        if stream.write_all(&bytes).is_err() {
            break;
        }
        if random.below(4) == 0 {
            stream.set_nonblocking(true)?;
            let _ = stream.read(&mut [0; 4096]);
            stream.set_nonblocking(false)?;
        }
    }
    drop(stream);
    let checked = check(address);
    ensure!(
        !PANICKED.load(Ordering::SeqCst),
        "a thread panicked after {}",
        sent.escape_ascii()
    );
    checked.with_context(|| format!("after {}", sent.escape_ascii()))
}

/// Whether the server answers.
fn check(address: &str) -> anyhow::Result<()> {
    let mut stream = TcpStream::connect(address).context("connecting")?;
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    stream.write_all(b"$qC#b4")?;
    let mut answer = [0; 8];
    stream.read_exact(&mut answer).context("no answer")?;
    ensure!(
        answer == *b"+$QC1#c5",
        "the answer is {}",
        answer.escape_ascii()
    );
    Ok(())
}

/// Xorshift, which is random enough and the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() >> 16) as usize % bound
    }

    /// A packet, or something like one.
    fn message(&mut self) -> Vec<u8> {
        let mut body = PACKETS[self.below(PACKETS.len())].as_bytes().to_vec();
        match self.below(8) {
            0..4 => {}
            4 | 5 => {
                for _ in 0..=self.below(3) {
                    let at = self.below(body.len());
                    body[at] = self.next() as u8;
                }
            }
            6 => body.truncate(self.below(body.len())),
            _ => {
                let other = PACKETS[self.below(PACKETS.len())].as_bytes();
                let at = self.below(body.len());
                body.truncate(at);
                body.extend_from_slice(&other[self.below(other.len())..]);
            }
        }
        if body == [3] {
            return body;
        }
        let mut packet = vec![b'$'];
        for byte in body {
            if matches!(byte, b'$' | b'#' | b'}') {
                packet.extend([b'}', byte ^ 0x20]);
            } else {
                packet.push(byte);
            }
        }
        let sum = packet[1..]
            .iter()
            .fold(0_u8, |sum, byte| sum.wrapping_add(*byte));
        packet.extend(format!("#{sum:02x}").into_bytes());
        match self.below(16) {
            0 => packet.truncate(self.below(packet.len())),
            1 => packet.insert(0, self.next() as u8),
            2 => packet.push(0x03),
            _ => {}
        }
        packet
    }
}
