//! The database is away for a while: its server is gone, or silent, or read-only, or has no connection left, or is gone for ever
//! and a standby takes its place. Webhooks and pages are answered with a clean 503 in a bounded time, readiness and metrics say
//! which it is, and afterwards everything goes on by itself. How long it lasts makes no difference: an outage of two minutes is
//! one that leases do not outlive.

#![expect(clippy::print_stdout, reason = "how long answers took is printed")]

use std::{
    sync::{Arc, Mutex},
    time::Duration as StdDuration,
};

use sea_orm::ConnectionTrait as _;
use seatkey::{clock::Stopwatch, simulator::Webhook};
use time::Duration;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream, UnixStream},
    sync::watch,
    task::JoinSet,
};

use crate::{
    storms::Storm,
    support::{
        Database,
        chance::seeds,
        postgres::{Own, execute, name_of, socket_of, url_through},
        process::{Installation, new_port},
    },
};

/// No answer takes longer than this.
const ANSWERED_WITHIN: StdDuration = StdDuration::from_secs(30);
/// After the return.
const READY_WITHIN: StdDuration = StdDuration::from_secs(10);
const WEBHOOKS: usize = 12;
const PACE: StdDuration = StdDuration::from_millis(50);
const OUTAGE: Duration = Duration::minutes(2);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_server_is_gone_for_two_minutes() {
    away(Form::Refused).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_server_says_nothing_for_two_minutes() {
    away(Form::Silent).await;
}

async fn away(form: Form) {
    let direct = Database::Postgres.address(std::path::Path::new("/")).await;
    let line = Line::start(&direct).await;
    let mut scene = Scene::set(Installation::set_at((line.url(&direct), direct)).await).await;
    scene.webhooks(&[200, 400], async |_| ()).await;
    line.turn(form);
    scene.stays_away("unreachable", "").await;
    line.turn(Form::Open);
    scene.comes_back().await;
}

/// Real streaming replication: every commit that was answered is on the standby, too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_standby_takes_the_place_of_a_server_that_is_gone_for_ever() {
    let primary = Own::start();
    let direct = primary.new_database().await;
    let standby = primary.standby().await;
    let line = Line::start(&direct).await;
    let mut scene = Scene::set(Installation::set_at((line.url(&direct), line.url(&direct))).await).await;
    let (_, ()) = tokio::join!(scene.webhooks(&[200, 400, 503], async |_| ()), primary.kill_for_ever());
    scene.stays_away("unreachable", "").await;
    // The address leads to the standby from now on, which is not told yet that it is the primary.
    line.lead_to(&standby.url_of(&direct));
    scene.stays_away("read_only", "the database is read-only").await;
    standby.promote().await;
    scene.comes_back().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_read_only_for_a_while() {
    let direct = Database::Postgres.address(std::path::Path::new("/")).await;
    let name = name_of(&direct).to_owned();
    let mut scene = Scene::set(Installation::set_at((direct.clone(), direct.clone())).await).await;
    // As behind an address that leads to the standby from now on: whoever connects can only read.
    execute(&format!("ALTER DATABASE {name} SET default_transaction_read_only = on")).await;
    cut(&name).await;
    scene.stays_away("read_only", "the database is read-only").await;
    // The address leads to the primary again. The connections that there are stay what they are.
    execute(&format!("ALTER DATABASE {name} RESET default_transaction_read_only")).await;
    scene.comes_back().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_server_takes_no_more_connections() {
    let direct = Database::Postgres.address(std::path::Path::new("/")).await;
    let name = name_of(&direct).to_owned();
    execute(&format!("CREATE ROLE {name} LOGIN")).await;
    execute(&format!("ALTER DATABASE {name} OWNER TO {name}")).await;
    let own = direct.replacen("//postgres@", &format!("//{name}@"), 1);
    let mut scene = Scene::set(Installation::set_at((own, direct)).await).await;
    execute(&format!("ALTER ROLE {name} CONNECTION LIMIT 0")).await;
    cut(&name).await;
    scene.stays_away("full", "").await;
    execute(&format!("ALTER ROLE {name} CONNECTION LIMIT -1")).await;
    scene.comes_back().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_connections_of_the_process_wait() {
    let direct = Database::Postgres.address(std::path::Path::new("/")).await;
    let mut scene = Scene::set(Installation::set_at((direct.clone(), direct.clone())).await).await;
    let holder = sea_orm::Database::connect(&direct).await.unwrap();
    let lock = sea_orm::TransactionTrait::begin(&holder).await.unwrap();
    lock.execute_unprepared("LOCK TABLE webhook IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let mut under_way = JoinSet::new();
    for _ in 0..20 {
        scene.storm.send(&mut under_way);
    }
    let (status, webhook) = under_way.join_next().await.unwrap().unwrap();
    assert_eq!(status, Some(503), "there is none left");
    scene.storm.note((status, webhook));
    lock.rollback().await.unwrap();
    holder.close().await.unwrap();
    assert!(scene.failures("in_use").await > 0);
    let answers = scene.storm.answers;
    while let Some(one) = under_way.join_next().await {
        scene.storm.note(one.unwrap());
    }
    assert!(scene.storm.answers > answers, "who had a connection is answered");
    scene.comes_back().await;
}

/// An installation with its management address.
struct Scene {
    storm: Storm,
    management: String,
}

impl Scene {
    async fn set(installation: Installation) -> Self {
        let bind = format!("127.0.0.1:{}", new_port());
        let file = installation.path("seatkey.toml");
        let text = std::fs::read_to_string(&file).unwrap();
        let own = format!("management_bind = \"{bind}\"");
        std::fs::write(&file, text.replace("management_bind = \"127.0.0.1:0\"", &own)).unwrap();
        let storm = Storm::gather(installation, seeds(1)[0]).await;
        Self { storm, management: format!("http://{bind}") }
    }

    /// So many webhooks at once, and meanwhile something else; all of it is over in time.
    async fn webhooks<T>(&mut self, expected: &[u16], meanwhile: impl AsyncFnOnce(&Self) -> T) -> T {
        let mut under_way = JoinSet::new();
        let watch = Stopwatch::start();
        for _ in 0..WEBHOOKS {
            self.storm.send(&mut under_way);
        }
        let done = meanwhile(self).await;
        while let Some(one) = under_way.join_next().await {
            let (status, webhook): (Option<u16>, Webhook) = one.unwrap();
            assert!(status.is_some_and(|status| expected.contains(&status)), "a webhook was answered with {status:?}");
            self.storm.note((status, webhook));
        }
        println!("answered within {:?}", watch.elapsed());
        assert!(watch.elapsed() < ANSWERED_WITHIN, "the answers took {:?}", watch.elapsed());
        done
    }

    async fn page(&self, path: &str) -> (u16, Option<String>, String) {
        let url = self.storm.installation.public_url.join(path).unwrap();
        let answer = self.storm.http.get(url).send().await.unwrap();
        let after = answer.headers().get("retry-after").map(|value| value.to_str().unwrap().to_owned());
        (answer.status().as_u16(), after, answer.text().await.unwrap())
    }

    async fn managed(&self, path: &str) -> (u16, String) {
        let answer = self.storm.http.get(format!("{}/{path}", self.management)).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }

    async fn failures(&self, reason: &str) -> u64 {
        let text = self.managed("metrics").await.1;
        let name = format!("seatkey_database_failures_total{{reason=\"{reason}\"}} ");
        text.lines().find_map(|line| line.strip_prefix(&name)).map_or(0, |value| value.parse().unwrap())
    }

    /// Everybody is told so in time, also those who come when it has lasted for a while.
    async fn stays_away(&mut self, reason: &str, obstacle: &str) {
        for _ in 0..2 {
            let told = async |scene: &Self| {
                tokio::join!(scene.page("landing?token=somebody"), scene.page("readyz"), scene.managed("readyz"))
            };
            let ((status, after, text), (ready, ..), managed) = self.webhooks(&[503], told).await;
            assert!(status == 503 && text.contains("Please try again in a minute"), "{status} {text}");
            assert_eq!((after.as_deref(), ready), (Some("60"), 503));
            let (status, text) = self.until_it_says(obstacle, managed).await;
            assert!(status == 503 && text.starts_with("database: ") && text.contains(obstacle), "{status} {text}");
            self.storm.installation.world().advance(OUTAGE).unwrap();
        }
        assert!(self.failures(reason).await > 0, "{reason}: {}", self.managed("metrics").await.1);
    }

    /// A connection that was cut tells of its end first.
    async fn until_it_says(&self, obstacle: &str, mut managed: (u16, String)) -> (u16, String) {
        let watch = Stopwatch::start();
        let mut pace = tokio::time::interval(PACE);
        while managed.0 == 503 && !managed.1.contains(obstacle) && watch.elapsed() < READY_WITHIN {
            pace.tick().await;
            managed = self.managed("readyz").await;
        }
        managed
    }

    /// It is ready in time, and what was told, before and now, has its effect once.
    async fn comes_back(mut self) {
        let watch = Stopwatch::start();
        let mut pace = tokio::time::interval(PACE);
        while self.page("readyz").await.0 != 200 {
            pace.tick().await;
            assert!(watch.elapsed() < READY_WITHIN, "it is not ready: {}", self.managed("readyz").await.1);
        }
        self.webhooks(&[200, 400], async |_| ()).await;
        assert!(watch.elapsed() < READY_WITHIN, "it took {:?} until webhooks were taken", watch.elapsed());
        let wrong = self.storm.calm().await;
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        let store = self.storm.installation.store().await;
        assert_eq!(store.count_dead_jobs().await.unwrap(), 0, "an outage makes no work for people");
        store.close().await;
        self.storm.installation.finish().await;
    }
}

/// Ends all connections to a database.
async fn cut(name: &str) {
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = ";
    execute(&format!("{cut}'{name}'")).await;
}

/// How a server is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Open,
    /// Nobody listens, and what was connected is cut.
    Refused,
    /// Connections are taken, and nothing ever comes on them; those from before are silent, too, and stay so.
    Silent,
}

/// Stands between the service and PostgreSQL.
struct Line {
    port: u16,
    form: watch::Sender<Form>,
    /// Where it leads to.
    socket: Arc<Mutex<String>>,
}

impl Line {
    /// In front of the server of a database on a Unix socket.
    async fn start(direct: &str) -> Self {
        let socket = Arc::new(Mutex::new(socket_of(direct)));
        let (form, forms) = watch::channel(Form::Open);
        let port = new_port();
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        tokio::spawn(Self::serve(listener, Arc::clone(&socket), forms));
        Self { port, form, socket }
    }

    async fn serve(listener: TcpListener, socket: Arc<Mutex<String>>, mut forms: watch::Receiver<Form>) {
        let port = listener.local_addr().unwrap().port();
        let mut listener = Some(listener);
        loop {
            if *forms.borrow_and_update() == Form::Refused {
                drop(listener.take());
                forms.changed().await.unwrap();
                continue;
            }
            let open = match listener.take() {
                Some(open) => open,
                None => TcpListener::bind(("127.0.0.1", port)).await.unwrap(),
            };
            tokio::select! {
                accepted = open.accept() => {
                    let socket = socket.lock().unwrap().clone();
                    tokio::spawn(pass(accepted.unwrap().0, socket, forms.clone()));
                }
                changed = forms.changed() => {
                    if changed.is_err() {
                        return;
                    }
                }
            }
            listener = Some(open);
        }
    }

    /// The same database, through here.
    fn url(&self, direct: &str) -> String {
        url_through(self.port, direct)
    }

    fn turn(&self, form: Form) {
        self.form.send(form).unwrap();
    }

    /// Whoever connects from now on comes to another server.
    fn lead_to(&self, direct: &str) {
        *self.socket.lock().unwrap() = socket_of(direct);
    }
}

/// One connection, until the line is turned; a silent one stays so.
async fn pass(mut client: TcpStream, socket: String, mut forms: watch::Receiver<Form>) {
    // Where there is no server, nobody answers here.
    let Ok(mut server) = UnixStream::connect(&socket).await else { return };
    let turned = tokio::select! {
        _ = copy_bidirectional(&mut client, &mut server) => return,
        turned = forms.wait_for(|form| *form != Form::Open) => turned.map_or(Form::Open, |form| *form),
    };
    if turned == Form::Silent {
        // The server is gone, and its transactions with it.
        drop(server);
        std::future::pending::<()>().await;
    }
}
