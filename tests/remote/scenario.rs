//! One scenario: its file, and what a client makes of it.

use std::fs;
use std::io::{self, PipeReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use libtest_mimic::Failed;
use rustix::process::{Pid, Signal, kill_process};

use crate::client::Client;
use crate::root;
use crate::server::Server;

/// A client that has not finished by then never will.
const CLIENT_WAIT: Duration = Duration::from_secs(60);

pub(crate) struct Scenario {
    client: Client,
    /// The lines before the first command.
    head: String,
    program: Vec<String>,
    options: Vec<String>,
    is_unix: bool,
    /// How the server ends is told, too.
    tells_end: bool,
    /// The client starts wdb itself.
    is_launched: bool,
    commands: Vec<String>,
}

impl Scenario {
    pub(crate) fn parse(client: Client, text: &str) -> Result<Scenario, Failed> {
        let mut scenario = Scenario {
            client,
            head: String::new(),
            program: Vec::new(),
            options: Vec::new(),
            is_unix: false,
            tells_end: false,
            is_launched: false,
            commands: Vec::new(),
        };
        let is_head = |line: &&str| !line.starts_with(client.prompt());
        for line in text.lines().take_while(is_head) {
            scenario.head.push_str(line);
            scenario.head.push('\n');
            if line.starts_with('#') || line.is_empty() {
                continue;
            }
            let (key, value) = line.split_once(':').ok_or("a head is KEY: VALUE")?;
            let value = value.trim();
            match key {
                "program" => {
                    scenario.program = value.split_whitespace().map(str::to_owned).collect();
                }
                "invoke" => scenario
                    .options
                    .extend(["--invoke".to_owned(), value.to_owned()]),
                "multi" => scenario.options.push("--multi".to_owned()),
                "unix" => scenario.is_unix = true,
                "ends" => scenario.tells_end = true,
                "launch" => scenario.is_launched = true,
                _ => return Err(format!("no such head: {key}").into()),
            }
        }
        let commands = text
            .lines()
            .filter_map(|it| it.strip_prefix(client.prompt()));
        scenario.commands = commands.map(str::to_owned).collect();
        Ok(scenario)
    }

    /// The scenario with what the client prints now.
    pub(crate) fn perform(&self, program: &Path) -> Result<String, Failed> {
        let folder = tempfile::tempdir()?;
        let address = match self.is_unix {
            true => format!("unix:{}", folder.path().join("socket").display()),
            false => "127.0.0.1:0".to_owned(),
        };
        let mut server = match self.is_launched {
            true => None,
            false => Some(Server::start(&address, &self.options, &self.program)?),
        };
        let address = server
            .as_ref()
            .map_or("no server", |server| &server.address);
        let address = address.to_owned();
        let connect = self.client.connect(&address);
        let script = folder.path().join("script");
        let commands = self.commands(&connect);
        let is_typed = commands.iter().any(|command| command == INTERRUPT);
        fs::write(&script, self.client.script(&root(), &commands, is_typed))?;
        // Errors stand where they come in the course of events.
        let (reader, writer) = io::pipe()?;
        let stdin = if is_typed {
            Stdio::piped()
        } else {
            Stdio::null()
        };
        let mut child = Command::new(program)
            .args(self.client.arguments(&script, &commands, is_typed))
            .current_dir(root())
            .env("TERM", "dumb")
            .stdin(stdin)
            .stdout(writer.try_clone()?)
            .stderr(writer)
            .spawn()?;
        let output = self.wait(&mut child, reader, commands)?;
        let output = output
            .replace(&connect, "{connect}")
            .replace(&connect.replace("remote", "extended-remote"), "{extended}")
            .replace(&address, "{address}")
            .replace(env!("CARGO_BIN_EXE_wdb"), "{wdb}")
            .replace(&root().display().to_string(), "{root}");
        let mut text = self.head.clone();
        text.push_str(&self.shown(&output));
        if let Some(server) = &mut server
            && self.tells_end
        {
            text.push_str(&server.ending(Duration::from_secs(5))?);
        } else if let Some(server) = &mut server {
            let is_over =
                text.contains("exited") || text.contains("killed") || text.contains("terminated");
            let is_left = text.contains("detach");
            let is_endless = self.options.iter().any(|it| it == "--multi");
            let stays = !is_over || is_endless;
            let wait = if stays {
                Duration::from_millis(50)
            } else {
                Duration::from_secs(5)
            };
            if !is_left && server.is_gone(wait) == stays {
                return Err(format!("the server is wrong to stay or to go:\n{text}").into());
            }
        }
        Ok(text)
    }

    /// The commands with what stands for names of this machine filled in.
    fn commands(&self, connect: &str) -> Vec<String> {
        let fill = |command: &String| {
            command
                .replace("{connect}", connect)
                .replace("{extended}", &connect.replace("remote", "extended-remote"))
                .replace("{wdb}", env!("CARGO_BIN_EXE_wdb"))
                .replace("{root}", &root().display().to_string())
        };
        self.commands.iter().map(fill).collect()
    }

    /// Waits for the client's end; types the commands for it if it reads them.
    fn wait(
        &self,
        child: &mut Child,
        output: PipeReader,
        commands: Vec<String>,
    ) -> Result<String, Failed> {
        let screen = Screen::watch(output);
        let began = Instant::now();
        let mut stdin = child.stdin.take();
        let mut commands = commands.into_iter();
        let mut last = String::new();
        while child.try_wait()?.is_none() {
            if began.elapsed() > CLIENT_WAIT {
                child.kill()?;
                child.wait()?;
                return Err(format!("the client does not finish:\n{}", screen.text()).into());
            }
            if let Some(keyboard) = &mut stdin
                && screen.is_quiet()
                && self.client.has_taken(&last, &screen.text())
            {
                match commands.next() {
                    Some(command) if command == INTERRUPT => {
                        screen.show(&format!("{}{INTERRUPT}\n", self.client.prompt()));
                        kill_process(Pid::from_child(child), Signal::INT)?;
                    }
                    Some(command) => {
                        if !self.client.echoes() {
                            screen.show(&format!("{command}\n"));
                        }
                        writeln!(keyboard, "{command}")?;
                        last = command;
                    }
                    // The end of its input ends the client.
                    None => stdin = None,
                }
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        screen.finish()
    }

    /// What a person would have seen from the first command on.
    fn shown(&self, output: &str) -> String {
        let first = format!(
            "{}{}",
            self.client.prompt(),
            self.commands.first().map_or("", |it| it)
        );
        let start = output.find(first.trim_end()).unwrap_or(0);
        let mut text = String::new();
        for line in output[start..].lines() {
            let line = line.trim_end();
            // lldb warns of what it lacks at any time; the last command is not the scenario's.
            let is_warning = line.starts_with("warning: ")
                && (line.contains("checksum mismatch")
                    || line.contains("no plugin for the language"));
            let is_ours = line == "(lldb) quit" || line == self.client.prompt().trim_end();
            if !is_warning && !is_ours {
                text.push_str(line);
                text.push('\n');
            }
        }
        text
    }
}

/// The command that stands for a Ctrl-C.
const INTERRUPT: &str = "^C";

/// What a client prints, as it comes.
struct Screen {
    shown: Arc<Mutex<Shown>>,
    reader: JoinHandle<()>,
}

struct Shown {
    bytes: Vec<u8>,
    changed: Instant,
}

impl Screen {
    fn watch(mut output: PipeReader) -> Screen {
        let shown = Arc::new(Mutex::new(Shown {
            bytes: Vec::new(),
            changed: Instant::now(),
        }));
        let written = shown.clone();
        let reader = std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = output.read(&mut buffer) {
                add(&written, &buffer[..count]);
            }
        });
        Screen { shown, reader }
    }

    fn show(&self, text: &str) {
        add(&self.shown, text.as_bytes());
    }

    /// Whether nothing has come for so long that nothing will come.
    fn is_quiet(&self) -> bool {
        const QUIET: Duration = Duration::from_millis(700);
        let shown = self.shown.lock();
        shown.is_ok_and(|shown| !shown.bytes.is_empty() && shown.changed.elapsed() > QUIET)
    }

    fn text(&self) -> String {
        let shown = self.shown.lock();
        shown.map_or_else(
            |_| String::new(),
            |it| String::from_utf8_lossy(&it.bytes).into_owned(),
        )
    }

    fn finish(self) -> Result<String, Failed> {
        let text = self.shown.clone();
        self.reader.join().map_err(|_| "the reader panicked")?;
        let shown = text.lock().map_err(|_| "the reader panicked")?;
        Ok(String::from_utf8_lossy(&shown.bytes).into_owned())
    }
}

fn add(shown: &Mutex<Shown>, bytes: &[u8]) {
    if let Ok(mut shown) = shown.lock() {
        shown.bytes.extend_from_slice(bytes);
        shown.changed = Instant::now();
    }
}
