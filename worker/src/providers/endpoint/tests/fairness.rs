//! Whose request is next, where an endpoint takes only so many at once.

use futures_util::FutureExt;

use super::*;
use crate::hook::Principal;
use crate::turns::hook_of;

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
    let many = hook_of("app", 1).principal(None);
    let few = hook_of("app", 2).principal(None);
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
