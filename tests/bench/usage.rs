//! What a process uses, as the kernel counts it.

use std::fs;
use std::path::{Path, PathBuf};

use crate::Failure;

/// Linux shows CPU time to programs in hundredths of a second on every platform it runs servers on.
const TICK_MS: u64 = 10;

/// Programs that the server runs as its private database.
const DATABASES: [&str; 2] = ["mariadbd", "mysqld"];

/// CPU time that all programs of the machine have used so far, with what a hypervisor took away.
pub(crate) fn machine_cpu_ms() -> Result<u64, Failure> {
    let text = fs::read_to_string("/proc/stat")?;
    let fields = text.lines().find_map(|line| line.strip_prefix("cpu "));
    let ticks: Vec<u64> = fields
        .unwrap_or_default()
        .split_whitespace()
        .flat_map(str::parse)
        .collect();
    let [user, nice, system, _idle, _waiting, hard, soft, stolen, ..] = ticks[..] else {
        return Err("a malformed /proc/stat".into());
    };
    Ok((user + nice + system + hard + soft + stolen) * TICK_MS)
}

/// A process that is looked at.
#[derive(Clone, Copy)]
pub(crate) struct Process(u32);

impl Process {
    pub(crate) fn new(id: u32) -> Self {
        Self(id)
    }

    pub(crate) fn id(self) -> u32 {
        self.0
    }

    /// CPU time it has used so far, in user and kernel mode.
    pub(crate) fn cpu_ms(self) -> Result<u64, Failure> {
        let status = Status::read(self.0)?;
        Ok((status.user_ticks + status.system_ticks) * TICK_MS)
    }

    /// Lets the peak of memory start from what is used now.
    pub(crate) fn forget_peak(self) -> Result<(), Failure> {
        Ok(fs::write(format!("/proc/{}/clear_refs", self.0), "5")?)
    }

    /// The most memory it had at once.
    pub(crate) fn peak_kib(self) -> Result<u64, Failure> {
        let text = fs::read_to_string(format!("/proc/{}/status", self.0))?;
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
        number.ok_or_else(|| "a process without VmHWM".into())
    }

    /// The database that this server runs.
    pub(crate) fn database(self) -> Result<Self, Failure> {
        let processes = fs::read_dir("/proc")?.flatten();
        let ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        let is_database = |id: &u32| {
            Status::read(*id).is_ok_and(|status| status.parent == self.0 && DATABASES.contains(&&*status.name))
        };
        let found = ids.into_iter().find(is_database).map(Self);
        found.ok_or_else(|| "the server has no database process".into())
    }

    /// The value of one of its arguments, such as `--socket=`.
    pub(crate) fn argument(self, name: &str) -> Result<PathBuf, Failure> {
        let arguments = fs::read_to_string(format!("/proc/{}/cmdline", self.0))?;
        let value = arguments.split('\0').find_map(|argument| argument.strip_prefix(name));
        value
            .map(|value| Path::new(value).to_owned())
            .ok_or_else(|| format!("the database runs without {name}").into())
    }
}

/// The fields wanted of `/proc/<id>/stat`.
struct Status {
    name: String,
    parent: u32,
    user_ticks: u64,
    system_ticks: u64,
}

impl Status {
    fn read(id: u32) -> Result<Self, Failure> {
        let text = fs::read_to_string(format!("/proc/{id}/stat"))?;
        // The name stands in parentheses and may hold anything; after it come numbers, the state as the third field.
        let (name, rest) = text.rsplit_once(") ").ok_or("a malformed /proc/<id>/stat")?;
        let (_, name) = name.split_once('(').ok_or("a malformed /proc/<id>/stat")?;
        let fields: Vec<&str> = rest.split(' ').collect();
        let number = |place: usize| -> Result<u64, Failure> {
            let field = fields.get(place - 3).ok_or("a short /proc/<id>/stat")?;
            Ok(field.parse()?)
        };
        Ok(Self {
            name: name.to_owned(),
            parent: u32::try_from(number(4)?)?,
            user_ticks: number(14)?,
            system_ticks: number(15)?,
        })
    }
}
