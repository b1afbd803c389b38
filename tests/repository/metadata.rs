//! What Cargo knows about the workspace.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// A package that the workspace is made of or needs.
pub(crate) struct Package {
    pub(crate) name: String,
    /// Where Cargo has it from; `None` for the workspace's own.
    pub(crate) source: Option<String>,
    /// The root files of its libraries and binaries.
    pub(crate) roots: Vec<PathBuf>,
    dependencies: Vec<Dependency>,
}

struct Dependency {
    package: PackageId,
    /// Whether tests alone need it.
    is_dev: bool,
}

/// What Cargo calls a package.
type PackageId = String;

/// The packages of the workspace and all that they need on this platform.
pub(crate) struct Metadata {
    packages: BTreeMap<PackageId, Package>,
}

impl Metadata {
    /// Asks Cargo.
    pub(crate) fn read() -> Metadata {
        let platform = platform();
        let output = run(
            env!("CARGO"),
            &[
                "metadata",
                "--format-version",
                "1",
                "--filter-platform",
                &platform,
            ],
        );
        let json: Value = serde_json::from_slice(&output).expect("cargo writes JSON");
        let mut packages: BTreeMap<PackageId, Package> = array(&json["packages"])
            .map(|package| (string(&package["id"]), package_of(package)))
            .collect();
        for node in array(&json["resolve"]["nodes"]) {
            let package = packages.get_mut(&string(&node["id"]));
            package.expect("cargo describes each package").dependencies =
                array(&node["deps"]).map(dependency_of).collect();
        }
        let mut metadata = Metadata { packages };
        // Cargo describes also what no enabled feature needs.
        let members: Vec<PackageId> = array(&json["workspace_members"]).map(string).collect();
        let needed = metadata.reachable(members, true);
        metadata.packages.retain(|id, _| needed.contains(id));
        metadata
    }

    /// All packages.
    pub(crate) fn packages(&self) -> impl Iterator<Item = &Package> {
        self.packages.values()
    }

    /// The workspace's own packages.
    pub(crate) fn members(&self) -> impl Iterator<Item = &Package> {
        self.packages().filter(|package| package.source.is_none())
    }

    /// The names of what a member names itself; what it names for its tests alone only `with_dev`.
    pub(crate) fn named_by(&self, member: &str, with_dev: bool) -> BTreeSet<&str> {
        let (_, package) = self.member(member);
        let dependencies = package.dependencies.iter();
        dependencies
            .filter(|dependency| with_dev || !dependency.is_dev)
            .map(|dependency| self.packages[&dependency.package].name.as_str())
            .collect()
    }

    /// The names of all that a member is built with; what tests alone need is left out.
    pub(crate) fn built_into(&self, member: &str) -> BTreeSet<&str> {
        let (id, _) = self.member(member);
        let mut packages = self.reachable(vec![id.clone()], false);
        packages.remove(id);
        packages
            .iter()
            .map(|id| self.packages[id].name.as_str())
            .collect()
    }

    fn member(&self, name: &str) -> (&PackageId, &Package) {
        let mut packages = self.packages.iter();
        packages
            .find(|(_, package)| package.name == name && package.source.is_none())
            .unwrap_or_else(|| panic!("the workspace has no package {name}"))
    }

    /// The packages themselves and all that they need; what their tests alone need only `with_dev`.
    /// Cargo lists the needs of tests for the workspace's own packages only.
    fn reachable(&self, from: Vec<PackageId>, with_dev: bool) -> BTreeSet<PackageId> {
        let mut found: BTreeSet<PackageId> = BTreeSet::new();
        let mut open = from;
        while let Some(id) = open.pop() {
            let dependencies = &self.packages[&id].dependencies;
            let needed = dependencies
                .iter()
                .filter(|dependency| with_dev || !dependency.is_dev);
            open.extend(
                needed
                    .map(|dependency| dependency.package.clone())
                    .filter(|id| !found.contains(id)),
            );
            found.insert(id);
        }
        found
    }
}

/// The root of the repository.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The platform that the tests run on, so that nothing has to be fetched for another.
fn platform() -> String {
    let output = run("rustc", &["-vV"]);
    let text = String::from_utf8(output).expect("rustc writes text");
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.expect("rustc names its platform").to_owned()
}

/// The standard output of a program that has to succeed, started at the root of the repository.
pub(crate) fn run(program: &str, args: &[&str]) -> Vec<u8> {
    let output = Command::new(program)
        .args(args)
        .current_dir(root())
        .output()
        .unwrap_or_else(|error| panic!("{program} cannot be run: {error}"));
    assert!(
        output.status.success(),
        "{program} failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

fn package_of(package: &Value) -> Package {
    let is_root =
        |target: &&Value| array(&target["kind"]).any(|kind| kind == "lib" || kind == "bin");
    Package {
        name: string(&package["name"]),
        source: package["source"].as_str().map(str::to_owned),
        roots: array(&package["targets"])
            .filter(is_root)
            .map(|target| PathBuf::from(string(&target["src_path"])))
            .collect(),
        dependencies: Vec::new(),
    }
}

fn dependency_of(dependency: &Value) -> Dependency {
    Dependency {
        package: string(&dependency["pkg"]),
        is_dev: array(&dependency["dep_kinds"]).all(|kind| kind["kind"] == "dev"),
    }
}

fn array(value: &Value) -> impl Iterator<Item = &Value> {
    value
        .as_array()
        .expect("cargo's format has a list here")
        .iter()
}

fn string(value: &Value) -> String {
    value
        .as_str()
        .expect("cargo's format has a text here")
        .to_owned()
}
