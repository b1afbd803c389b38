//! Clients that misbehave: the session survives each of them, and what is kept of them is bounded.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use wdb_debugger::ProgramSource;
use wdb_debugger::session::{Session, SessionOptions, StdinChoice};
use wdb_gdbstub::Server;

/// A server for a sample; its session and its address.
fn serve() -> (Session, String) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let options = SessionOptions {
        stdin: StdinChoice::Empty,
        ..SessionOptions::default()
    };
    let program = ProgramSource::File(root.join("samples/fib/fib.wasm"));
    let session = Session::open(program, options).expect("the sample is a program");
    let server = Server::bind(&session, "0").expect("a port is free");
    let address = server.address();
    server.spawn().expect("a thread can be started");
    (session, address)
}

fn connect(address: &str) -> TcpStream {
    let stream = TcpStream::connect(address).expect("the server listens");
    let wait = Some(Duration::from_secs(20));
    stream.set_read_timeout(wait).expect("a wait can be set");
    stream
}

fn packet(body: &str) -> Vec<u8> {
    let sum = body.bytes().fold(0_u8, u8::wrapping_add);
    format!("${body}#{sum:02x}").into_bytes()
}

/// Sends a packet and reads the next answer; acknowledgements are passed over.
fn ask(stream: &mut TcpStream, body: &str) -> String {
    stream.write_all(&packet(body)).expect("the server reads");
    answer(stream)
}

fn answer(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    let mut byte = [0];
    loop {
        stream.read_exact(&mut byte).expect("the server answers");
        match byte[0] {
            b'$' => text.clear(),
            b'#' => {
                stream.read_exact(&mut [0; 2]).expect("a checksum follows");
                return text;
            }
            byte => text.push(char::from(byte)),
        }
    }
}

/// The server answers a client that behaves.
fn assert_alive(address: &str) {
    let mut stream = connect(address);
    assert!(ask(&mut stream, "?").starts_with("T05"));
    assert_eq!(ask(&mut stream, "qC"), "QC1");
}

fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.trim().strip_suffix("kB"));
    number.and_then(|it| it.trim().parse().ok()).unwrap_or(0)
}

#[test]
fn garbage_is_passed_over() {
    let (_session, address) = serve();
    let mut stream = connect(&address);
    let mut noise = Vec::new();
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    for _ in 0..200_000 {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let byte = state as u8;
        // An interrupt is no garbage, and a `k` or `D` between frames could be luck.
        noise.push(if byte == 3 { b'+' } else { byte });
    }
    stream.write_all(&noise).expect("the server reads");
    drop(stream);
    assert_alive(&address);
}

#[test]
fn a_client_that_vanishes_in_a_packet_is_forgotten() {
    let (_session, address) = serve();
    for part in [
        "$",
        "$qSupp",
        "$m0,",
        "$?#3",
        "$X0,10:abc",
        "\u{3}",
        "$c#63",
        "$s#73",
    ] {
        let mut stream = connect(&address);
        stream.write_all(part.as_bytes()).expect("the server reads");
        drop(stream);
    }
    assert_alive(&address);
}

#[test]
fn long_packets_and_floods_cost_no_memory() {
    let (_session, address) = serve();
    assert_alive(&address);
    let before = resident_kib();
    let mut stream = connect(&address);
    stream.write_all(b"$X0,1:").expect("the server reads");
    for _ in 0..10 {
        stream
            .write_all(&vec![b'a'; 1 << 20])
            .expect("the server reads");
    }
    stream.write_all(b"#00").expect("the server reads");
    assert_eq!(answer(&mut stream), "E16");
    // Nobody reads the answers, which have to stop the server from reading on.
    stream.set_nonblocking(true).expect("a socket can be set");
    let flood = packet("qSupported").repeat(1 << 12);
    let mut sent = 0;
    for _ in 0..200 {
        match stream.write(&flood) {
            Ok(count) => sent += count,
            Err(_) => std::thread::sleep(Duration::from_millis(5)),
        }
    }
    assert!(sent > 0);
    let grown = resident_kib().saturating_sub(before);
    assert!(grown < 64 << 10, "{grown} KiB more after {sent} bytes");
    drop(stream);
    assert_alive(&address);
}

#[test]
fn malformed_packets_are_refused_and_unknown_ones_answered_empty() {
    let (_session, address) = serve();
    let mut stream = connect(&address);
    let refused = [
        "m",
        "m1",
        "m,",
        "mzz,4",
        "m0",
        "M0,4:00",
        "M0,4",
        "Xq,1:a",
        "Z0",
        "Z0,zz,1",
        "Z9,0,1",
        "Z2,4000000000000000,4",
        "vCont;",
        "vCont;z",
        "qWasmLocal:",
        "qWasmLocal:0",
        "p",
        "qWasmStackValue:99999999999;0",
        "qMemoryRegionInfo:",
        "qXfer:libraries:read:",
        "qRcmd,0",
        "qXfer:libraries:write::0,10",
        "qWasmCallStack:",
        "m8000000000000000,4",
        "P0=00",
        "mffffffff,1",
        // There is no second module.
        "m4000000100000000,4",
        "Z0,400000010000020b,1",
    ];
    for body in refused {
        let told = ask(&mut stream, body);
        assert!(told.starts_with('E'), "{body}: {told}");
    }
    for body in [
        "",
        "nonsense",
        "_M10,rw",
        "qNothing",
        "QNothing",
        "vNothing",
        "jThing",
        "bc",
        "vFile:open:00,0,0",
    ] {
        assert_eq!(ask(&mut stream, body), "", "{body}");
    }
    assert_alive_on(&mut stream);
}

fn assert_alive_on(stream: &mut TcpStream) {
    assert!(ask(stream, "?").starts_with("T05"));
}

#[test]
fn gdb_s_packets_are_refused_when_they_make_no_sense() {
    let (_session, address) = serve();
    let mut stream = connect(&address);
    let told = ask(&mut stream, "qSupported:qRelocInsn+");
    assert!(told.contains("ConditionalBreakpoints+"), "{told}");
    for body in [
        "Z0,4000000000000210,1;X9,22",
        "Z0,4000000000000210,1;Xfffffffffffffff,22",
        "vFile:pread:3,4",
        "vFile:open:zz,0,0",
    ] {
        let told = ask(&mut stream, body);
        assert!(told.starts_with('E'), "{body}: {told}");
    }
    // The whole part of the address space that is the stub's own.
    for address in ["efff0000", "effffff8", "f0000000", "ffffffe0", "ffffffee"] {
        let told = ask(&mut stream, &format!("m{address},40"));
        assert!(
            !told.is_empty() && !told.starts_with('E'),
            "{address}: {told}"
        );
    }
    assert_eq!(ask(&mut stream, "mfffffff0,10"), "E0e");
    assert_alive_on(&mut stream);
}

#[test]
fn a_quit_in_wdb_s_language_does_not_end_the_session() {
    let (_session, address) = serve();
    let mut stream = connect(&address);
    // `quit` in hexadecimal digits
    let mut told = ask(&mut stream, "qRcmd,71756974");
    while told.starts_with('O') && told != "OK" {
        told = answer(&mut stream);
    }
    assert_eq!(told, "OK");
    assert_eq!(ask(&mut stream, "k"), "X09");
    drop(stream);
    // This one needs the program to be started.
    assert_alive(&address);
}

#[test]
fn clients_come_one_after_the_other() {
    let (_session, address) = serve();
    let mut first = connect(&address);
    assert_eq!(ask(&mut first, "qC"), "QC1");
    // The second one waits for the first to leave; a third that leaves while it waits does no harm.
    let mut second = connect(&address);
    drop(connect(&address));
    drop(first);
    assert_eq!(ask(&mut second, "qC"), "QC1");
    drop(second);
    assert_alive(&address);
}
