//! Whose request is next, where an endpoint takes only so many at once.

use futures_util::FutureExt;

use super::*;
use serde_json::Value;
use uuid::Uuid;
use zerodb_hooks_delivery::hook::Hook;
use zerodb_hooks_delivery::hook::Principal;

/// A user for whom one role acts.
fn principal_of(user: u128) -> Principal {
    let hook = Hook::new(
        Uuid::new_v4(),
        1,
        Uuid::from_u128(user),
        "sql",
        "h".into(),
        &Value::Null,
    );
    Hook {
        owner: Some("app".into()),
        ..hook
    }
    .principal(None)
}

async fn ask(provider: &Provider, who: &Principal, text: &str) -> bool {
    let request = EmbedRequest {
        who: Some(who),
        model: None,
        dimensions: None,
        inputs: &[text.to_owned()],
    };
    provider.embed(&request, DEADLINE).await.is_ok()
}

/// Until so many requests have come.
async fn came(server: &Server, count: usize) -> Vec<String> {
    while server.seen().len() < count {
        tokio::task::yield_now().await;
    }
    let seen = server.seen();
    seen.iter()
        .map(|seen| seen.body["input"][0].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn a_tenant_with_many_requests_does_not_hold_up_another() {
    let permits = Arc::new(Semaphore::new(0));
    let gate = Arc::clone(&permits);
    let server = Server::start(move |_, request| Do::When(Arc::clone(&gate), vectors(request))).await;
    let provider = server.provider("concurrency: 2");
    // One role acts for both, as an application does.
    let many = principal_of(1);
    let few = principal_of(2);
    let mut flood = Box::pin(futures_util::future::join_all(
        (0..20).map(|_| ask(&provider, &many, "many")),
    ));
    assert!((&mut flood).now_or_never().is_none());
    let mut one = Box::pin(ask(&provider, &few, "few"));
    assert!((&mut one).now_or_never().is_none());
    let both = async { tokio::join!(&mut flood, &mut one) };
    let served = async {
        assert_eq!(came(&server, 2).await, ["many", "many"]);
        permits.add_permits(1);
        assert_eq!(came(&server, 3).await[2], "few", "whoever has the fewest is next");
        permits.add_permits(20);
    };
    let ((flood, one), ()) = tokio::join!(both, served);
    assert!(one && flood.iter().all(|served| *served));
}
