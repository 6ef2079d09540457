//! A webhook reaches no address that is not public: not by any spelling, not by a name, and not by a name that is
//! something else a moment later. Counted where it would arrive.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use serde_json::json;
use tempfile::NamedTempFile;
use zerodb_hooks_harness::{NameAnswer, NameServer, Result, Session, SqlError, Worker, on_every_server};

use crate::actors::Stage;

/// Hosts as a URL may spell them; each is an address, or the machine's own name.
#[rustfmt::skip]
const SPELLED: &[&str] = &[
    "0.0.0.0", "0", "0.1.2.3", "10.0.0.1", "10.255.255.254", "100.64.0.1", "100.100.100.200", "100.127.255.254",
    "127.0.0.1", "127.0.0.1.", "127.1", "127.0.1", "127.254.254.254", "2130706433", "017700000001",
    "0177.0.0.1", "0177.0.0.01", "0x7f000001", "0x7f.1", "0x7F.0x0.0x0.0x1", "①②⑦.⓪.⓪.①", "127。0。0。1",
    "１２７.0.0.1", "%31%32%37.0.0.1", "127.0.0.1%2e", "168.63.129.16", "169.254.169.254", "2852039166",
    "0xa9fea9fe", "169.254.43518", "0251.0376.0251.0376", "169.254.170.2", "172.16.0.1", "172.31.255.254",
    "192.0.0.1", "192.0.0.192", "192.0.2.1", "192.88.99.1", "192.168.0.1", "192.168.255.254", "3232235521",
    "198.18.0.1", "198.19.255.254", "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.255.255.250", "240.0.0.1",
    "255.255.255.255", "4294967295", "[::]", "[::1]", "[0:0:0:0:0:0:0:1]", "[::7f00:1]", "[::127.0.0.1]",
    "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::FFFF:10.0.0.1]", "[::ffff:169.254.169.254]",
    "[::ffff:0:7f00:1]", "[::5efe:7f00:1]", "[64:ff9b::7f00:1]", "[64:ff9b::10.0.0.1]", "[64:ff9b::8.8.8.8]",
    "[64:ff9b:1::1]", "[100::1]", "[2001::1]", "[2001:0:7f00:1::]", "[2001:2::1]", "[2001:10::1]",
    "[2001:db8::1]", "[2002:7f00:1::1]", "[2002:a9fe:a9fe::]", "[3fff::1]", "[3fff:fff::1]", "[4000::1]",
    "[5f00::1]", "[fc00::1]", "[fd00:ec2::254]", "[fd12:3456:789a::1]", "[fe80::1]", "[febf::1]", "[fec0::1]",
    "[ff01::1]", "[ff02::1]", "[ff05::2]", "localhost", "LOCALHOST", "localhost.", "lOcAlHoSt", "a.localhost",
    "ⓛocalhost",
];
/// URLs that no reader and no rule takes, with the host in them.
#[rustfmt::skip]
const REFUSED: &[&str] = &[
    "http://good.example@127.0.0.1:{port}/", "http://a:b@127.0.0.1:{port}/",
    "http://good.example\\@127.0.0.1:{port}/", "http://[fe80::1%25eth0]:{port}/",
    "http://[fe80::1%eth0]:{port}/", "http:\\\\127.0.0.1:{port}/", "http:///127.0.0.1:{port}/",
    "http:/127.0.0.1:{port}/", "http:127.0.0.1:{port}/", "//127.0.0.1:{port}/", "gopher://127.0.0.1:{port}/",
    "file:///etc/passwd", "http://127.0.0.1:{port}\n/", "http:// 127.0.0.1:{port}/",
    "http://127.0.0.256:{port}/", "http://0x7f.0.0.0x100:{port}/", "http://[::ffff:127.0.0.1:{port}/",
    "http://:{port}/", "http://127.0.0.1%00.example:{port}/", "http://127.0.0.1%0d%0a.example:{port}/",
];
/// Names that lead to nothing public, by what the name server says.
const NAMED: &[&str] = &[
    "private.test",
    "loopback.test",
    "metadata.test",
    "both.test",
    "only-six.test",
    "mapped.test",
    "alias.test",
    "many.test",
    "translated.test",
    "127.0.0.1.in-name.test",
];

fn said(name: &str, number: usize) -> NameAnswer {
    let addresses = |texts: &[&str]| {
        texts
            .iter()
            .filter_map(|text| text.parse().ok())
            .collect::<Vec<IpAddr>>()
    };
    NameAnswer::Addresses(match name {
        "private.test" => addresses(&["10.0.0.1", "192.168.1.1"]),
        "loopback.test" | "127.0.0.1.in-name.test" => addresses(&["127.0.0.1"]),
        "metadata.test" => addresses(&["169.254.169.254", "fd00:ec2::254"]),
        "both.test" => addresses(&["127.0.0.1", "::1"]),
        "only-six.test" => addresses(&["::1", "fe80::1"]),
        "mapped.test" => addresses(&["::ffff:127.0.0.1"]),
        "translated.test" => addresses(&["64:ff9b::7f00:1", "2002:7f00:1::1"]),
        "alias.test" => return NameAnswer::Alias("loopback.test".into(), addresses(&["127.0.0.1", "::1"])),
        "many.test" => (0..1000)
            .map(|n| IpAddr::from([127, 0, (n / 250) as u8 + 4, (n % 250) as u8]))
            .collect(),
        "mixed.test" => addresses(&["127.0.0.1", "10.0.0.1", "127.0.0.2", "::1"]),
        "allowed.test" => addresses(&["127.0.0.2"]),
        // What may be called at one question, and what may not at the next.
        name if name.ends_with(".rebind.test") && number.is_multiple_of(2) => addresses(&["127.0.0.2"]),
        name if name.ends_with(".rebind.test") => addresses(&["127.0.0.1", "::1"]),
        _ => return NameAnswer::Fails(3),
    })
}

/// Listens at every address of the machine, answers 200 and keeps at which address it was called.
struct Everywhere {
    port: u16,
    called: Arc<Mutex<Vec<IpAddr>>>,
}

impl Everywhere {
    fn listen() -> Result<Self> {
        let listener = TcpListener::bind(("::", 0)).or_else(|_| TcpListener::bind(("0.0.0.0", 0)))?;
        let (port, called) = (
            listener.local_addr()?.port(),
            Arc::<Mutex<Vec<IpAddr>>>::default(),
        );
        let calls = Arc::clone(&called);
        thread::spawn(move || {
            for mut connection in listener.incoming().map_while(Result::ok) {
                if let Ok(address) = connection.local_addr() {
                    calls
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push(address.ip().to_canonical());
                }
                thread::spawn(move || {
                    while connection.read(&mut [0; 8192]).is_ok_and(|read| read > 0) {
                        let _ = connection
                            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
                    }
                });
            }
        });
        Ok(Self { port, called })
    }

    fn called(&self) -> Vec<IpAddr> {
        self.called.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn urls(port: u16) -> Vec<String> {
    let spelled = SPELLED
        .iter()
        .chain(NAMED)
        .map(|host| format!("http://{host}:{port}/"));
    let refused = REFUSED.iter().map(|url| url.replace("{port}", &port.to_string()));
    spelled.chain(refused).collect()
}

/// The error that refuses the hook; none where it was made.
async fn refusal(session: &Session, name: &str, url: &str) -> Result<Option<SqlError>> {
    let config = json!({"url": url, "retry_count": 0, "timeout_ms": 5000})
        .to_string()
        .replace('\'', "''");
    let made =
        format!("SELECT zerodb.create_hook('app.thing', '{name}', '{config}', hook_type => 'webhook')");
    match session.run(&made).await {
        Ok(()) => Ok(None),
        Err(_) => session.error(&made).await.map(Some),
    }
}

/// The worker under test: it may call 127.0.0.2 beside the Internet.
fn worker(url: &str, names: &NameServer) -> Result<(Worker, NamedTempFile)> {
    let mut file = NamedTempFile::new()?;
    write!(
        file,
        "webhooks:\n  allow_networks: [127.0.0.2]\n  name_servers: ['{}']\n",
        names.address
    )?;
    let path = file.path().to_string_lossy().into_owned();
    let variables = [
        ("ZERODB_HOOKS_ALLOW_PRIVATE_ADDRESSES", "false"),
        ("HTTP_PROXY", "http://127.0.0.1:1"),
        ("ALL_PROXY", "http://127.0.0.1:1"),
    ];
    let worker = Worker::start_with(url, &["--config", &path, "--poll-ms", "200"], &variables)?;
    Ok((worker, file))
}

#[tokio::test(flavor = "multi_thread")]
async fn no_spelling_of_an_address_makes_a_hook() -> Result<()> {
    on_every_server(async |db| {
        let stage = Stage::set(&db).await?;
        // Once the library is loaded, which every function of it does.
        stage.mallory.run("SELECT zerodb._current_slot()").await?;
        let set = stage.mallory.error("SET zerodb.allow_private_addresses = on").await?;
        assert_eq!(set.code, "42501");
        stage.admin.run("SET zerodb.allow_private_addresses = off").await?;
        let urls = urls(1);
        assert!(urls.len() >= 100, "{}", urls.len());
        for (number, url) in urls.iter().enumerate() {
            let refused = refusal(&stage.admin, &format!("h{number}"), url).await?;
            let is_name = NAMED.iter().any(|name| url.contains(name));
            let Some(error) = refused else {
                assert!(is_name, "{url} made a hook");
                continue;
            };
            assert!(!is_name && error.code == "22023", "{url}: {error:?}");
            let is_spelled = SPELLED.iter().any(|host| *url == format!("http://{host}:1/"));
            assert_eq!(error.message.contains("is not public"), is_spelled, "{url}: {error:?}");
        }
        for url in ["http://8.8.8.8/", "https://[2606:4700:4700::1111]/", "https://100.63.255.254/", "https://${ZERODB_SECRET_HOST}/"] {
            let name = format!("public{}", url.len());
            assert_eq!(refusal(&stage.admin, &name, url).await?, None, "{url}");
        }
        let changed = "SELECT zerodb.update_hook(id, '{\"url\": \"http://[::1]/\"}') FROM zerodb.zerodb_hooks WHERE hook_name = 'public15'";
        assert_eq!(stage.admin.error(changed).await?.code, "22023");
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn no_spelling_and_no_name_reaches_what_is_not_public() -> Result<()> {
    on_every_server(async |db| {
        let stage = Stage::set(&db).await?;
        let (everywhere, names) = (Everywhere::listen()?, NameServer::start(said)?);
        let mut hooks = 0;
        for (number, url) in urls(everywhere.port).iter().enumerate() {
            // As a row that is older than the rule, or made where private addresses are allowed.
            hooks += i64::from(refusal(&stage.admin, &format!("h{number}"), url).await?.is_none());
        }
        assert!(hooks > 100, "{hooks}");
        let port = everywhere.port;
        for name in ["mixed", "allowed"] {
            let url = format!("http://{name}.test:{port}/");
            assert_eq!(refusal(&stage.admin, name, &url).await?, None);
        }
        let (_worker, _file) = worker(&db.worker_url(), &names)?;
        stage
            .admin
            .run("SELECT zerodb.emit('app.thing', '{\"id\": 1}')")
            .await?;
        let ended = |state: &str| format!("SELECT count(*) FROM zerodb.deliveries WHERE state = '{state}'");
        stage.admin.becomes(&ended("completed"), 2).await?;
        stage.admin.becomes(&ended("discarded"), hooks).await?;
        let others = "SELECT coalesce(string_agg(h.hook_config ->> 'url' || ' ' || d.last_error, E'\n'), '')
            FROM zerodb.deliveries d JOIN zerodb.zerodb_hooks h ON h.id = d.hook_id
            WHERE d.state = 'discarded' AND d.last_error NOT LIKE '%address is not public%'";
        assert_eq!(stage.admin.text(others).await?, "");
        let two = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));
        assert_eq!(everywhere.called(), [two, two]);
        Ok(())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_changes_is_called_only_where_it_was_judged() -> Result<()> {
    const RUNS: usize = 1000;
    on_every_server(async |db| {
        let stage = Stage::set(&db).await?;
        let (everywhere, names) = (Everywhere::listen()?, NameServer::start(said)?);
        let make = format!(
            "SELECT count(zerodb.create_hook('app.thing', 'r' || n, jsonb_build_object('url',
                format('http://r%s.rebind.test:{}/', n), 'retry_count', 3, 'retry_delay_ms', 1, 'timeout_ms', 20000),
                hook_type => 'webhook')) FROM generate_series(1, {RUNS}) AS n",
            everywhere.port
        );
        stage.admin.run(&make).await?;
        let (_worker, _file) = worker(&db.worker_url(), &names)?;
        stage.admin.run("SELECT zerodb.emit('app.thing', '{\"id\": 1}')").await?;
        let ended = "SELECT count(*) FROM zerodb.deliveries WHERE state IN ('completed', 'discarded')";
        stage.admin.becomes(ended, RUNS).await?;
        let called = everywhere.called();
        let elsewhere = called.iter().filter(|address| **address != IpAddr::from([127, 0, 0, 2])).count();
        assert_eq!(elsewhere, 0);
        assert!(called.len() > RUNS / 10 && names.asked() > RUNS, "{} {}", called.len(), names.asked());
        Ok(())
    })
    .await
}
