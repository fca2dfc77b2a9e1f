//! A PostgreSQL cluster of the benchmark's own, on a Unix socket, with `fsync` on. It ends with its handle, and also when
//! the process dies.

use std::{
    os::unix::{fs::PermissionsExt as _, process::CommandExt as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use sea_orm::{ConnectionTrait as _, Database};
use uuid::Uuid;

/// The running cluster.
pub(crate) struct Cluster {
    directory: PathBuf,
    watchdog: Child,
}

impl Cluster {
    /// Makes and starts it.
    pub(crate) fn start() -> Self {
        let directory = std::env::temp_dir().join(format!("seatkey-bench-pg-{}", Uuid::new_v4().simple()));
        std::fs::create_dir(&directory).unwrap();
        std::fs::set_permissions(&directory, std::fs::Permissions::from_mode(0o777)).unwrap();
        let (bin, data) = (binaries(), directory.join("data"));
        let made = unprivileged(&bin.join("initdb"))
            .args(["-A", "trust", "--locale=C", "-E", "UTF8", "-U", "postgres", "-D"])
            .arg(&data)
            .current_dir(&directory)
            .output()
            .unwrap();
        assert!(made.status.success(), "initdb failed: {}", String::from_utf8_lossy(&made.stderr));
        // The shell holds the read end of a pipe of this process: when it closes, it stops the server and cleans up.
        let script = format!(
            "'{bin}/postgres' -D '{data}' -k '{dir}' -c listen_addresses= -c fsync=on -c synchronous_commit=on \
             >'{dir}/log' 2>&1 & server=$!; cat >/dev/null; kill -INT $server; wait $server; rm -rf '{dir}'",
            bin = bin.display(),
            data = data.display(),
            dir = directory.display(),
        );
        let watchdog = unprivileged(Path::new("/bin/sh"))
            .args(["-c", &script])
            .current_dir(&directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let cluster = Self { directory, watchdog };
        cluster.wait_until_ready(&bin);
        cluster
    }

    fn wait_until_ready(&self, bin: &Path) {
        for _ in 0..600 {
            let ready = Command::new(bin.join("pg_isready")).arg("-q").arg("-h").arg(&self.directory).status();
            if ready.is_ok_and(|status| status.success()) {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        let log = std::fs::read_to_string(self.directory.join("log")).unwrap_or_default();
        panic!("PostgreSQL did not start:\n{log}");
    }

    /// Creates an empty database and gives its address.
    pub(crate) async fn new_database(&self) -> String {
        let name = format!("b_{}", Uuid::new_v4().simple());
        let admin = Database::connect(self.url("postgres")).await.unwrap();
        admin.execute_unprepared(&format!("CREATE DATABASE {name}")).await.unwrap();
        admin.close().await.unwrap();
        self.url(&name)
    }

    fn url(&self, name: &str) -> String {
        format!("postgres://postgres@localhost/{name}?host={}", self.directory.display())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.watchdog.stdin.take());
        drop(self.watchdog.wait());
        // Run as nobody, the shell can empty the directory, but not remove it.
        drop(std::fs::remove_dir_all(&self.directory));
    }
}

/// The newest installed version, or `PG_BIN`.
fn binaries() -> PathBuf {
    if let Some(named) = std::env::var_os("PG_BIN") {
        return PathBuf::from(named);
    }
    let mut versions: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .expect("PostgreSQL is not installed")
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .filter(|bin| bin.join("initdb").exists())
        .collect();
    versions.sort();
    versions.pop().expect("PostgreSQL's server is not installed")
}

/// PostgreSQL refuses to run as root: then it runs as nobody.
fn unprivileged(program: &Path) -> Command {
    const NOBODY: u32 = 65_534;
    let mut command = Command::new(program);
    let root = std::fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0);
    if root {
        command.uid(NOBODY).gid(NOBODY);
    }
    command
}
