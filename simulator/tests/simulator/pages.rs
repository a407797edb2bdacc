//! The pages, and mounting in another server.

use axum::Router;
use axum::routing::get;
use fitter_simulator::{Simulator, SimulatorConfig};

use crate::rig::Rig;

#[tokio::test]
async fn the_pages_are_served() {
    let rig = Rig::new().await;
    let page = rig.http.get(format!("{}/", rig.running.url())).send().await.unwrap();
    assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
    assert_eq!(page.headers()["cache-control"], "no-cache");
    assert!(page.text().await.unwrap().contains("<html"));
    let fidelity = rig.http.get(format!("{}/fidelity", rig.running.url())).send().await.unwrap();
    let fidelity = fidelity.text().await.unwrap();
    assert!(fidelity.contains("185 methods"), "{fidelity}");
    for row in [
        "<tr class=\"yes\"><td>sendMessage</td><td>served</td>",
        "<tr class=\"partly\"><td>sendPhoto</td><td>partly</td>",
        "<tr class=\"no\"><td>banChatMember</td><td>not served</td>",
    ] {
        assert!(fidelity.contains(row), "{row}");
    }
    for path in ["web/no-such-file", "web/..%2fCargo.toml", "something/else"] {
        let url = format!("{}/{path}", rig.running.url());
        assert_eq!(rig.http.get(url).send().await.unwrap().status(), 404, "{path}");
    }
}

#[tokio::test]
async fn the_routes_can_be_merged_into_another_server() {
    let simulator = Simulator::new(&SimulatorConfig::default()).unwrap();
    let app =
        Router::new().route("/readyz", get(|| async { "ready" })).route("/app/{*path}", get(|| async { "app" })).merge(simulator.router());
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    let ask = async |path: &str| reqwest::get(format!("{url}{path}")).await.unwrap();
    assert_eq!(ask("/readyz").await.text().await.unwrap(), "ready");
    assert_eq!(ask("/app/x.js").await.text().await.unwrap(), "app");
    assert_eq!(ask("/sim/state").await.status(), 200);
    assert_eq!(ask("/bot1:x/getMe").await.status(), 401);
}
