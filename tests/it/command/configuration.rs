//! `serve`, `check-config`, `config`, `migrate`: what is wrong is said, all of it, before anything begins.

use std::fs::{OpenOptions, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use keyback_tests::{Browser, Finished, Keyback, Workplace, eventually, free_port};
use url::Url;

#[tokio::test]
async fn a_sound_configuration_is_called_so_and_migrates() {
    let workplace = Workplace::new().await;
    let checked = workplace.run(&["check-config"]).await;
    assert!(
        checked
            .assert_done()
            .out
            .ends_with("the configuration is sound\n")
    );
    // Checking makes nothing.
    assert!(!workplace.path("keyback.db").exists());
    let migrated = workplace.run(&["migrate"]).await;
    assert!(migrated.assert_done().out.contains("is up to date"));
    assert!(workplace.path("keyback.db").exists());
    workplace.run(&["migrate"]).await.assert_done();
}

#[tokio::test]
async fn without_a_root_key_serving_stops_and_names_the_command() {
    let workplace = Workplace::new().await;
    std::fs::remove_file(workplace.path("root.key")).unwrap();
    for command in ["serve", "check-config"] {
        workplace
            .run(&[command])
            .await
            .assert_refused(&["root.key", "keyback keys new"]);
    }
    let without = workplace.sound().replace("root_key_file", "#root_key_file");
    workplace.write(&without);
    for command in ["serve", "check-config"] {
        workplace
            .run(&[command])
            .await
            .assert_refused(&["keyback keys new"]);
    }
    assert!(!workplace.path("keyback.db").exists());
}

#[tokio::test]
async fn all_problems_are_told_at_once() {
    let workplace = Workplace::new().await;
    workplace.write(
        "[server]\nlisten = \"everywhere\"\npublic_url = \"http://id.example.com/path\"\nlisten_adress = \"typo\"\n\
         [sever]\nlisten = \"127.0.0.1:1\"\n\
         [email]\nconnector = \"pigeon\"\n\
         [reset]\nmax_attempts = 50\ncode_lifetime = \"2 days\"\n\
         [password.hashing]\nmemory_kib = 8\n\
         [password.polcy]\npreset = \"nist\"\n\
         [[app]]\nclient_id = \"shop\"\ntype = \"web\"\nclient_secret = \"short\"\nredirect_uris = [\"http://shop.example/cb\"]\n\
         [[app]]\nclient_id = \"shop\"\ntype = \"spa\"\nredirect_uris = []\n",
    );
    for command in ["check-config", "serve", "migrate"] {
        let refused = workplace.run(&[command]).await;
        refused.assert_refused(&[
            "[server] listen",
            "[server] listen_adress",
            "[server] public_url",
            "[sever]",
            "[email] connector",
            "[reset] max_attempts",
            "[reset] code_lifetime",
            "[password.hashing]",
            "[password] polcy",
            "[[app]] shop",
            "there twice",
            "at least 32 characters",
            "must be https",
            "redirect_uris is empty",
        ]);
        // A secret is never shown, not even a bad one.
        assert!(!refused.err.contains("\"short\""), "{}", refused.err);
    }
    workplace.write("this is [ no toml");
    workplace
        .run(&["check-config"])
        .await
        .assert_refused(&["not TOML"]);
    std::fs::remove_file(workplace.path("keyback.toml")).unwrap();
    workplace
        .run(&["serve"])
        .await
        .assert_refused(&["keyback.toml", "keyback config"]);
}

/// The file, the root key, the store, a connector that lacks something, and one that nobody answers for: one list.
#[tokio::test]
async fn what_is_wrong_with_the_file_hides_nothing_beyond_it() {
    let workplace = Workplace::new().await;
    std::fs::remove_file(workplace.path("root.key")).unwrap();
    let sound = workplace.sound();
    let sound = sound.replace("/keyback.db", "/no/such/folder/keyback.db");
    let sms = "[sms]\nconnector = \"http\"\nurl = \"http://127.0.0.1:1/sms\"\n[[app]]";
    let wrong = sound.replace("\"inbox\"", "\"smtp\"").replace("[[app]]", sms);
    workplace.write(&format!("{wrong}[reset]\nmax_attempts = 50\n"));
    let refused = workplace.run(&["check-config"]).await;
    refused.assert_refused(&[
        "the configuration has 5 problems:",
        "[reset] max_attempts",
        "keyback keys new",
        "[store] url: the folder",
        "the smtp connector is not complete: [email] host is missing; [email] from is missing",
        "the SMS endpoint at 127.0.0.1 can't be reached",
    ]);
    assert!(!refused.out.contains("sound"), "{refused:?}");
}

/// A key that can't be read has no value: nothing is said of its default.
#[tokio::test]
async fn what_can_not_be_read_is_told_once() {
    let workplace = Workplace::new().await;
    let sound = workplace.sound();
    let (head, tail) = sound.split_once("[secrets]").unwrap();
    let (_, apps) = tail.split_once("[[app]]").unwrap();
    workplace.write(&format!(
        "{head}[secrets]\nroot_key_file = 7\n[store]\nurl = \"mysql:x\"\n\
         [email]\nconnector = \"smtp\"\nhost = 7\nfrom = \"me@example.com\"\n\
         [sms]\nconnector = \"http\"\nurl = \"http://127.0.0.1:1/\"\ntimeout = \"soon\"\n[[app]]{apps}"
    ));
    let refused = workplace.run(&["check-config"]).await;
    refused.assert_refused(&[
        "the configuration has 4 problems:",
        "[secrets] root_key_file",
        "[store] url",
        "[email] host",
        "[sms] timeout",
    ]);
}

/// Nobody knows whose the keys are: what to mend is the name.
#[tokio::test]
async fn beside_a_misspelt_connector_no_key_is_called_meaningless() {
    let workplace = Workplace::new().await;
    let sections = "connector = \"smpt\"\nhost = \"127.0.0.1\"\nfrom = \"me@example.com\"\n\
                    [sms]\nconnector = \"twillio\"\nauth_token = \"secret\"";
    let wrong = workplace.sound().replace("connector = \"inbox\"", sections);
    workplace.write(&wrong);
    let refused = workplace.run(&["check-config"]).await;
    refused.assert_refused(&["has 2 problems:", "[email] connector", "[sms] connector"]);
}

/// SR-15: who has codes sent by text message alone is told what that risks.
#[tokio::test]
async fn sr15_text_messages_alone_are_called_a_risk() {
    let workplace = Workplace::new().await;
    let both = workplace.sound() + "[sms]\nconnector = \"inbox\"\n";
    let alone = both.replace("[email]\nconnector = \"inbox\"\n", "");
    assert_ne!(both, alone);
    for (config, is_told) in [(both, false), (alone, true)] {
        workplace.write(&config);
        let checked = workplace.run(&["check-config"]).await;
        let said = &checked.assert_done().out;
        assert_eq!(said.contains("text message alone"), is_told, "{said}");
    }
}

#[tokio::test]
async fn the_inbox_is_refused_where_others_could_read_it() {
    let workplace = Workplace::new().await;
    let sound = workplace.sound();
    for open in [
        sound.replace("127.0.0.1:0", "0.0.0.0:0"),
        sound.replace("http://localhost:3001", "https://id.example.com"),
    ] {
        workplace.write(&open);
        workplace
            .run(&["serve"])
            .await
            .assert_refused(&["[email] connector", "inbox", "loopback"]);
    }
}

#[tokio::test]
async fn the_reference_loads_with_every_line_taken_in_use() {
    let printed = Keyback::run(&["config"]).await;
    let reference = printed.assert_done().out.clone();
    let workplace = Workplace::new().await;
    // As it is: only what is required is missing.
    workplace.write(&reference);
    workplace
        .run(&["check-config"])
        .await
        .assert_refused(&["[server] public_url"]);
    let in_use: String = reference
        .lines()
        .map(|line| match line.strip_prefix('#') {
            // A house's own root certificate is a file that isn't here.
            Some(setting) if setting.starts_with("ca_file") => String::new(),
            Some(setting) if !setting.starts_with(' ') && !setting.is_empty() => setting.to_owned() + "\n",
            _ => line.to_owned() + "\n",
        })
        .collect();
    let key = workplace.path("root.key");
    let in_use = in_use.replace("\"root.key\"", &format!("\"{}\"", key.display()));
    // The reference shows the form of every connector: this one reaches nobody, which is all that is wrong.
    let in_use = in_use.replace("mail.example.com", "127.0.0.1");
    let in_use = in_use.replace("https://api.twilio.com", "https://127.0.0.1:1");
    workplace.write(&in_use);
    let checked = workplace.run(&["check-config"]).await;
    assert!(!checked.out.contains("sound"), "{checked:?}");
    let mut told = checked.err.lines().skip(1);
    assert!(told.all(|problem| problem.contains("can't be")), "{checked:?}");
    checked.assert_refused(&[
        "the mail server 127.0.0.1:465 can't be reached",
        "Twilio at 127.0.0.1 can't be reached",
    ]);
}

#[tokio::test]
async fn the_environment_is_laid_over_the_file() {
    let workplace = Workplace::new().await;
    let run = async |variables: &[(&str, &str)]| {
        let mut command = workplace.command(&["check-config"]);
        command.envs(variables.iter().copied());
        Finished::by(command).await
    };
    run(&[
        ("KEYBACK__RESET__MAX_ATTEMPTS", "3"),
        ("KEYBACK__PASSWORD__POLICY__PRESET", "asvs"),
    ])
    .await
    .assert_done();
    run(&[
        ("KEYBACK__RESET__MAX_ATTEMPTS", "30"),
        ("KEYBACK__RESET__NO_SUCH_KEY", "1"),
    ])
    .await
    .assert_refused(&[
        "KEYBACK__RESET__MAX_ATTEMPTS, which is [reset] max_attempts: ",
        "KEYBACK__RESET__NO_SUCH_KEY, which is [reset] no_such_key: ",
    ]);
    // Whatever command wants the root keys.
    for args in [&["check-config"][..], &["serve"], &["keys", "list"]] {
        for (name, value, told) in [
            ("KEYBACK__SECRETS__ROOT_KEY", "not a key", "[secrets] root_key: "),
            (
                "KEYBACK__SECRETS__ROOT_KEY_FILE",
                "/no/such/key",
                "[secrets] root_key_file /no/such/key: ",
            ),
        ] {
            let mut command = workplace.command(args);
            command.env(name, value);
            let told = format!("{name}, which is {told}");
            Finished::by(command).await.assert_refused(&[&told]);
        }
    }
    // A variable that misses its section, a file that isn't there, and what the file itself says.
    let wrong = workplace.sound() + "[reset]\nmax_attempts = 30\n";
    workplace.write(&wrong);
    let refused = run(&[
        ("KEYBACK__SEVER__PUBLIC_URL", "http://localhost:3001"),
        ("KEYBACK__PASSWORD__POLCY__PRESET", "asvs"),
        ("KEYBACK__EMAIL__PASSWORD_FILE", "/no/such/file"),
    ])
    .await;
    refused.assert_refused(&[
        "has 5 problems:",
        "KEYBACK__SEVER__PUBLIC_URL, which is [sever] public_url: no such section",
        "KEYBACK__PASSWORD__POLCY__PRESET, which is [password] polcy: no such section",
        "KEYBACK__EMAIL__PASSWORD_FILE, which is [email] password_file: ",
        "\n  [reset] max_attempts: ",
    ]);
}

#[tokio::test]
async fn a_database_that_can_not_be_written_is_said_so_and_left_alone() {
    let workplace = Workplace::new().await;
    let sound = workplace.sound();
    // Tests may run as root, whom no permission binds: a folder in place of the file, a file in place of the folder.
    std::fs::create_dir(workplace.path("folder.db")).unwrap();
    std::fs::write(workplace.path("file"), "").unwrap();
    for name in ["folder.db", "file/keyback.db", "no/such/folder/keyback.db"] {
        workplace.write(&sound.replace("keyback.db", name));
        for command in ["serve", "migrate"] {
            workplace
                .run(&[command])
                .await
                .assert_refused(&["can't be opened", "writable"]);
        }
    }
    // A file system that takes no files, from root neither.
    let read_only = format!("sqlite:{}", workplace.path("keyback.db").display());
    workplace.write(&sound.replace(&read_only, "sqlite:/proc/keyback.db"));
    for command in ["serve", "check-config"] {
        workplace
            .run(&[command])
            .await
            .assert_refused(&["/proc/keyback.db", "can't be opened"]);
    }
    workplace.write(&sound.replace("keyback.db", "no/such/folder/keyback.db"));
    workplace
        .run(&["check-config"])
        .await
        .assert_refused(&["[store] url", "doesn't exist"]);
    workplace.write(&sound.replace("sqlite:", "mysql:"));
    workplace
        .run(&["check-config"])
        .await
        .assert_refused(&["[store] url", "sqlite:"]);
}

/// A command that no capability of root's lets write what permissions forbid.
fn bound_by_permissions(command: &Command) -> Command {
    let mut bound = Command::new("setpriv");
    bound
        .arg("--bounding-set=-dac_override,-dac_read_search")
        .arg(command.get_program())
        .args(command.get_args());
    bound
}

#[tokio::test]
async fn a_database_that_can_only_be_read_is_told_in_the_same_words_by_serving_and_checking() {
    let workplace = Workplace::new().await;
    workplace.run(&["migrate"]).await.assert_done();
    let (database, folder) = (workplace.path("keyback.db"), workplace.path(""));
    let allow = |path: &Path, mode| std::fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    for (file_mode, folder_mode) in [(0o400, 0o700), (0o600, 0o500)] {
        allow(&database, file_mode);
        allow(&folder, folder_mode);
        let is_free =
            OpenOptions::new().append(true).open(&database).is_ok() && tempfile::tempfile_in(&folder).is_ok();
        for command in ["serve", "check-config"] {
            let mut command = workplace.command(&[command]);
            if is_free {
                command = bound_by_permissions(&command);
            }
            Finished::by(command).await.assert_refused(&[
                "keyback.db can't be written: ",
                "Permission denied",
                "Give this user write access to it and to its folder",
            ]);
        }
    }
    allow(&folder, 0o700);
}

/// What `serve` would refuse, `check-config` refuses, and leaves the folder as it was.
#[tokio::test]
async fn a_check_opens_the_store_and_changes_nothing() {
    let workplace = Workplace::new().await;
    let database = workplace.path("keyback.db");
    std::fs::write(
        &database,
        "not a database, and longer than the header of one".repeat(100),
    )
    .unwrap();
    for command in ["serve", "check-config"] {
        let refused = workplace.run(&[command]).await;
        refused.assert_refused(&["keyback.db", "file is not a database", "restore a backup"]);
        assert!(!refused.err.contains("writable"), "{refused:?}");
    }
    std::fs::remove_file(&database).unwrap();
    workplace.run(&["migrate"]).await.assert_done();
    let contents = || {
        let files = std::fs::read_dir(workplace.path("")).unwrap();
        let files = files.map(|file| file.unwrap().path());
        let mut files: Vec<_> = files.map(|path| (std::fs::read(&path).unwrap(), path)).collect();
        files.sort();
        files
    };
    let before = contents();
    workplace.run(&["check-config"]).await.assert_done();
    assert!(contents() == before);
}

#[tokio::test]
async fn a_port_in_use_stops_the_start() {
    let workplace = Workplace::new().await;
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    workplace.write(&workplace.sound().replace("127.0.0.1:0", &address));
    workplace
        .run(&["serve"])
        .await
        .assert_refused(&["can't listen", &address, "[server] listen"]);
}

#[tokio::test]
async fn serving_answers_and_stops_in_good_order() {
    let workplace = Workplace::new().await;
    let port = free_port();
    let sound = workplace.sound();
    workplace.write(
        &sound
            .replace("127.0.0.1:0", &format!("127.0.0.1:{port}"))
            .replace(":3001", &format!(":{port}")),
    );
    let mut command = workplace.command(&["serve"]);
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    eventually("the port to be open", async || {
        std::net::TcpStream::connect(("127.0.0.1", port)).ok()
    })
    .await;
    let mut browser = Browser::at(&Url::parse(&format!("http://localhost:{port}")).unwrap());
    browser.open("/sign-in").await;
    browser.assert_says("Forgot password?");
    // Without a demo there is no welcome: the root leads to the account.
    browser.open("/").await;
    browser.assert_at("/sign-in");
    let told = std::process::Command::new("kill")
        .args(["-TERM", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(told.success());
    let (status, log) = tokio::task::spawn_blocking(move || {
        let mut log = String::new();
        std::io::Read::read_to_string(&mut child.stderr.take().unwrap(), &mut log).unwrap();
        (child.wait().unwrap(), log)
    })
    .await
    .unwrap();
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(log.contains("serving") && log.contains("stopping"), "{log}");
}

#[tokio::test]
async fn unknown_commands_and_none_at_all_show_the_way() {
    Keyback::run(&["no-such-command"])
        .await
        .assert_refused(&["no-such-command"]);
    Keyback::run(&["serve", "--no-such-option"])
        .await
        .assert_refused(&["--no-such-option"]);
    let none = Keyback::run(&[]).await;
    assert_ne!(none.code, Some(0));
    for command in [
        "demo",
        "serve",
        "check-config",
        "config",
        "migrate",
        "user",
        "app",
        "keys",
    ] {
        assert!(none.err.contains(command), "{command}: {}", none.err);
    }
    let version = Keyback::run(&["--version"]).await;
    assert!(version.assert_done().out.starts_with("keyback 0."));
}
