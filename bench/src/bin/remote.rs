//! What the remote protocol costs over the loopback interface: steps, conditional breakpoints, and the server's share of the time that
//! real clients take to attach.
//!
//! `cargo run --release --manifest-path bench/Cargo.toml --features remote --bin remote -- --program app.wasm`

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use clap::Parser;
use wdb_debugger::ProgramSource;
use wdb_debugger::session::{Session, SessionOptions, StdinChoice};
use wdb_gdbstub::Server;

#[derive(Parser)]
#[command(about = "Times operations of the remote protocol over the loopback interface")]
struct Arguments {
    /// The program that real clients attach to; without it that is not measured
    #[arg(long)]
    program: Option<PathBuf>,
    /// How often each operation is done
    #[arg(long, default_value_t = 2000)]
    count: u32,
    /// Also how long gdb takes to walk over the deepest stack there can be
    #[arg(long)]
    deep: bool,
}

/// The sample, its function `fib` behind the prologue, and where that has its argument.
const SAMPLE: &str = "fib/fib.wasm";
const FIB_PC: u64 = 0x4000_0000_0000_020b;
/// How many calls of `fib` the sample makes when its argument is `LAST`, which it works up to from 0.
const LAST: u32 = 22;

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    println!(
        "stepi                          {:8.1} us",
        steps(arguments.count)?
    );
    println!(
        "break, client's condition      {:8.1} us a hit",
        client_condition(arguments.count)?
    );
    println!(
        "break, server's condition      {:8.3} us a hit",
        server_condition()?
    );
    if arguments.deep {
        let (session, address) = serve(&sample(TRAPS), &["stack-exhausted"])?;
        let told = drive("gdb", address, &["continue", "bt -2"])?;
        let frames = session.guest(|guest| guest.state().frame_count());
        println!("gdb: bt -2 of {} frames {told}", frames.unwrap_or(0));
    }
    let Some(program) = arguments.program else {
        return Ok(());
    };
    for (client, command) in [("lldb-22", "breakpoint set -n main"), ("gdb", "break main")] {
        let (_session, address) = serve(&program, &[])?;
        println!(
            "{client:8} attaches {}",
            drive(client, address, &[command])?
        );
    }
    Ok(())
}

/// A program of the samples.
fn sample(name: &str) -> PathBuf {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples");
    samples.join(name)
}

/// The sample whose exported functions trap, one of them because the call stack is full.
const TRAPS: &str = "traps/traps.wasm";

/// A server for a program, stopped at its start. The arguments are its own, or say which of `TRAPS` to call.
fn serve(program: &Path, args: &[&str]) -> anyhow::Result<(Session, String)> {
    let invoked = args.first().filter(|_| program.ends_with(TRAPS));
    let options = SessionOptions {
        args: args.iter().map(|&arg| arg.to_owned()).collect(),
        invoke: invoked.map(|&name| (name.to_owned(), Vec::new())),
        stdin: StdinChoice::Empty,
        ..SessionOptions::default()
    };
    let session = Session::open(ProgramSource::File(program.to_owned()), options)?;
    let server = Server::bind(&session, "0")?;
    let address = server.address();
    server.spawn()?;
    Ok((session, address))
}

struct Client(TcpStream);

impl Client {
    /// Connects to a server for the sample.
    fn new(args: &[&str]) -> anyhow::Result<(Session, Client)> {
        let (session, address) = serve(&sample(SAMPLE), args)?;
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        let mut client = Client(stream);
        client.ask("QStartNoAckMode")?;
        client.0.write_all(b"+")?;
        Ok((session, client))
    }

    fn ask(&mut self, body: &str) -> anyhow::Result<String> {
        let sum = body.bytes().fold(0_u8, u8::wrapping_add);
        self.0.write_all(format!("${body}#{sum:02x}").as_bytes())?;
        let mut reply = Vec::new();
        let mut buffer = [0; 4096];
        // A reply ends with its checksum; between two there is nothing but an acknowledgement.
        while reply.len() < 4 || reply[reply.len() - 3] != b'#' {
            let count = self.0.read(&mut buffer)?;
            ensure!(count > 0, "the server has left");
            reply.extend_from_slice(&buffer[..count]);
        }
        let text = String::from_utf8_lossy(&reply).into_owned();
        let start = text.find('$').context("a reply begins with a dollar")?;
        Ok(text[start + 1..text.len() - 3].to_owned())
    }
}

fn microseconds(time: Duration, count: u32) -> f64 {
    time.as_secs_f64() * 1e6 / f64::from(count)
}

fn steps(count: u32) -> anyhow::Result<f64> {
    let (_session, mut client) = Client::new(&["20"])?;
    let began = Instant::now();
    for _ in 0..count {
        let stop = client.ask("vCont;s:1")?;
        ensure!(stop.starts_with("T05"), "{stop}");
    }
    Ok(microseconds(began.elapsed(), count))
}

/// What lldb does at a hit whose condition does not hold: it looks at the variable, and steps off the breakpoint.
fn client_condition(count: u32) -> anyhow::Result<f64> {
    let (_session, mut client) = Client::new(&["40"])?;
    let set = format!("Z0,{FIB_PC:x},1");
    let clear = format!("z0,{FIB_PC:x},1");
    client.ask(&set)?;
    let began = Instant::now();
    for _ in 0..count {
        let stop = client.ask("vCont;c")?;
        ensure!(stop.contains("reason:breakpoint"), "{stop}");
        client.ask("qWasmCallStack:1")?;
        let local = client.ask("qWasmLocal:0;1")?;
        ensure!(local.len() == 8, "{local}");
        client.ask("mff00,4")?;
        client.ask(&clear)?;
        client.ask("vCont;s:1")?;
        client.ask(&set)?;
    }
    Ok(microseconds(began.elapsed(), count))
}

/// gdb's bytecode for `n == 1000`, where `n` is in the shadow stack's frame: what a hit costs beyond the run without it.
fn server_condition() -> anyhow::Result<f64> {
    // rbp; the frame base there; + 8; the variable there, signed; == 1000
    const CONDITION: &str = "260006192208021916202303e81327";
    let calls: u32 = calls_of_fib();
    let last = LAST.to_string();
    let run = |is_set: bool| -> anyhow::Result<Duration> {
        let (_session, mut client) = Client::new(&[&last])?;
        client.ask("qSupported:qRelocInsn+")?;
        if is_set {
            let size = CONDITION.len() / 2;
            let told = client.ask(&format!("Z0,{FIB_PC:x},1;X{size:x},{CONDITION}"))?;
            ensure!(told == "OK", "{told}");
        }
        let began = Instant::now();
        let stop = client.ask("vCont;c")?;
        ensure!(stop.starts_with('W'), "{stop}");
        Ok(began.elapsed())
    };
    let mut times: Vec<f64> = Vec::new();
    for _ in 0..5 {
        let without = run(false)?;
        let with = run(true)?;
        times.push(microseconds(with.saturating_sub(without), calls));
    }
    times.sort_by(f64::total_cmp);
    Ok(times[times.len() / 2])
}

/// How many calls `fib(0)` to `fib(LAST)` make.
fn calls_of_fib() -> u32 {
    fn calls(n: u32) -> u32 {
        if n < 2 {
            1
        } else {
            1 + calls(n - 1) + calls(n - 2)
        }
    }
    (0..=LAST).map(calls).sum()
}

/// How long a real client takes to attach and perform commands, through a proxy that notes how long the server takes for each reply.
fn drive(client: &str, address: String, commands: &[&str]) -> anyhow::Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let proxy = listener.local_addr()?;
    let proxied = thread::spawn(move || -> anyhow::Result<(u32, Duration)> {
        let (from_client, _) = listener.accept()?;
        relay(from_client, TcpStream::connect(address)?)
    });
    let command = match client {
        "gdb" => format!("target remote {proxy}"),
        _ => format!("process connect --plugin wasm connect://{proxy}"),
    };
    let (mut arguments, option) = match client {
        "gdb" => (vec!["-nx", "-batch"], "-ex"),
        _ => (vec!["--no-lldbinit", "--batch"], "-o"),
    };
    for &command in [&*command].iter().chain(commands) {
        arguments.extend([option, command]);
    }
    if client == "gdb" {
        arguments.extend([option, "disconnect"]);
    }
    let began = Instant::now();
    let status = Command::new(client)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if let Err(error) = status {
        bail!("not run: {client}: {error}");
    }
    let total = began.elapsed();
    let (replies, served) = proxied
        .join()
        .map_err(|_| anyhow::anyhow!("the proxy panicked"))??;
    Ok(format!(
        "in {:.3} s: {replies} replies in {:.3} s",
        total.as_secs_f64(),
        served.as_secs_f64()
    ))
}

fn relay(mut client: TcpStream, mut server: TcpStream) -> anyhow::Result<(u32, Duration)> {
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (mut back, mut answers) = (client.try_clone()?, server.try_clone()?);
    let (asked, questions) = std::sync::mpsc::channel::<Instant>();
    let counted = thread::spawn(move || {
        let (mut replies, mut served) = (0, Duration::ZERO);
        let mut buffer = vec![0; 1 << 18];
        while let Ok(count @ 1..) = answers.read(&mut buffer) {
            // What was asked last is what is answered; a reply in several parts counts from the same question.
            if let Some(at) = questions.try_iter().last() {
                served += at.elapsed();
                replies += 1;
            }
            if back.write_all(&buffer[..count]).is_err() {
                break;
            }
        }
        (replies, served)
    });
    let mut buffer = vec![0; 1 << 16];
    while let Ok(count @ 1..) = client.read(&mut buffer) {
        let _ = asked.send(Instant::now());
        server.write_all(&buffer[..count])?;
    }
    server.shutdown(std::net::Shutdown::Both)?;
    counted
        .join()
        .map_err(|_| anyhow::anyhow!("the proxy panicked"))
}
