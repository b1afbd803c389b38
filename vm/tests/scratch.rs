mod support;
use support::*;
use wdb_vm::machine::*;
use wdb_vm::tier::*;
use wdb_vm::vm::*;
fn cfg(tier: Tier, stress: bool) -> Config {
    Config {
        tier,
        limits: Limits {
            collects_always: stress,
            ..Limits::default()
        },
        ..Config::default()
    }
}
#[test]
fn scratch() {
    let Ok(path) = std::env::var("WAT") else {
        return;
    };
    let text = std::fs::read_to_string(path).unwrap();
    let func = std::env::var("FUNC").unwrap_or("main".into());
    let stress = std::env::var("STRESS").is_ok();
    let mut a = machine_with(&text, cfg(Tier::Classic, stress));
    let mut b = machine_with(&text, cfg(Tier::Fast, stress));
    invoke(&mut a, &func, &[]);
    invoke(&mut b, &func, &[]);
    let n: u64 = 200000;
    for t in 1..n {
        let l = RunLimit {
            tick: Some(t),
            probe_at_start: true,
            ..RunLimit::default()
        };
        let ea = a.run(l);
        let eb = b.run(l);
        let same = a.checkpoint(None) == b.checkpoint(None);
        if format!("{ea:?}") != format!("{eb:?}") || !same {
            println!(
                "{}",
                diff(
                    &format!("{:?}", a.checkpoint(None)),
                    &format!("{:?}", b.checkpoint(None))
                )
            );
            println!(
                "tick {t}: classic {ea:?} at {:?}; fast {eb:?} at {:?}",
                a.time(),
                b.time()
            );
            for vm in [&a, &b] {
                for f in 0..vm.frame_count() {
                    let s = vm.shape(f).unwrap();
                    println!("{:?}", vm.frame(f));
                    for slot in s.locals.iter() {
                        print!(" {:?}", vm.slot_value(f, *slot));
                    }
                    print!(" |");
                    for slot in s.operands.iter() {
                        print!(" {:?}", vm.slot_value(f, *slot));
                    }
                    println!();
                }
            }
            if let Some(f) = b.frame(0) {
                for line in b.register_code(f.func).unwrap() {
                    println!("{:5} {:?} {}", line.offset, line.pc, line.text);
                }
            }
            panic!();
        }
        if !matches!(ea, wdb_vm::exit::Exit::Tick) {
            println!("end {ea:?} at tick {t}");
            break;
        }
    }
}
fn strip(a: &str) -> String {
    a.split("side: ")
        .map(|p| p.trim_start_matches(|c: char| c.is_ascii_digit()))
        .collect()
}
fn diff(a: &str, b: &str) -> String {
    let (a, b) = (strip(a), strip(b));
    let (a, b) = (&a, &b);
    let n = a.bytes().zip(b.bytes()).take_while(|(x, y)| x == y).count();
    format!(
        "A {}\nB {}",
        &a[n.saturating_sub(200)..(n + 300).min(a.len())],
        &b[n.saturating_sub(200)..(n + 300).min(b.len())]
    )
}
