use super::*;
use actix_web::test::TestRequest;

fn trusted() -> Vec<IpNet> {
    vec!["10.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()]
}

#[test]
fn host_names_are_parsed_with_and_without_a_port() {
    for (host, name) in [
        ("shop", Some("shop")),
        ("Shop.example.org", Some("Shop.example.org")),
        ("shop:8000", Some("shop")),
        ("127.0.0.1:8000", Some("127.0.0.1")),
        ("[::1]", Some("::1")),
        ("[::1]:8000", Some("::1")),
        ("", None),
        (":8000", None),
        ("shop:", None),
        ("shop:http", None),
        ("shop:65536", None),
        ("localhost:+80", None),
        ("[::1]:+80", None),
        ("evil.com, 127.0.0.1", None),
        ("[::1", None),
        ("[shop]", None),
        ("[::1]x", None),
        ("::1", None),
        ("a b", None),
        ("user@shop", None),
        ("shop/x", None),
        ("shop\"", None),
    ] {
        assert_eq!(host_name(host), name, "{host:?}");
    }
}

#[test]
fn a_host_is_compared_whatever_its_case_and_port() {
    let hosts = ["Localhost", "[::1]", "shop.example.org"].map(setting);
    for (host, allowed) in [
        ("localhost", true),
        ("LOCALHOST:1", true),
        ("[::1]:8000", true),
        ("shop.example.org", true),
        ("xshop.example.org", false),
        ("shop.example.org.evil.org", false),
        ("example.org", false),
        ("", false),
    ] {
        let origin = ForwardedInfo {
            https: false,
            host,
            client: None,
        };
        assert_eq!(origin.is_for(Some(&hosts)), allowed, "{host}");
        assert_eq!(origin.is_for(None), !host.is_empty(), "{host}");
    }
}

#[test]
fn forwarding_headers_of_trusted_proxies_alone_count() {
    // (peer, X-Forwarded-For, -Proto, -Host), and the expected base URL and client
    for (peer, forwarded, base, client) in [
        (
            "1.2.3.4",
            ("9.9.9.9", "https", "evil"),
            "http://shop",
            "1.2.3.4",
        ),
        (
            "10.0.0.1",
            ("9.9.9.9", "https", "front"),
            "https://front",
            "9.9.9.9",
        ),
        (
            "::ffff:10.0.0.1",
            ("9.9.9.9", "https", "front"),
            "https://front",
            "9.9.9.9",
        ),
        (
            "10.0.0.1",
            ("6.6.6.6, 9.9.9.9, 10.0.0.2", "http, HTTPS", "evil, front"),
            "https://front",
            "9.9.9.9",
        ),
        (
            "10.0.0.1",
            ("6.6.6.6, 9.9.9.9:4711, 10.0.0.2", "ftp", "front"),
            "http://front",
            "9.9.9.9",
        ),
        (
            "10.0.0.1",
            ("10.0.0.3, 10.0.0.2", "", "front:81"),
            "http://front:81",
            "10.0.0.3",
        ),
        (
            "::1",
            ("2001:db8::1", "https, http", "front"),
            "http://front",
            "2001:db8::1",
        ),
    ] {
        let request = TestRequest::default()
            .insert_header(("Host", "shop"))
            .insert_header(("X-Forwarded-For", forwarded.0))
            .insert_header(("X-Forwarded-Proto", forwarded.1))
            .insert_header(("X-Forwarded-Host", forwarded.2))
            .peer_addr(std::net::SocketAddr::new(peer.parse().unwrap(), 1))
            .to_http_request();
        let nets = trusted();
        let origin = ForwardedInfo::of(request.head(), &nets);
        assert_eq!(origin.base(), base, "{peer} {forwarded:?}");
        assert_eq!(
            origin.client,
            Some(client.parse().unwrap()),
            "{peer} {forwarded:?}"
        );
    }
}

/// Above all, the client is not taken for the proxy, which has more rights.
#[test]
fn an_unparsable_forwarded_entry_yields_no_client() {
    for (lists, client) in [
        (&[][..], Some("10.0.0.1")),
        (&[&b"9.9.9.9"[..]], Some("9.9.9.9")),
        (&[b"9.9.9.9:80"], Some("9.9.9.9")),
        (&[b" [2001:db8::1]:80 "], Some("2001:db8::1")),
        (&[b"[2001:db8::1]"], Some("2001:db8::1")),
        (&[b"2001:db8::1"], Some("2001:db8::1")),
        (&[b"rubbish, 9.9.9.9"], Some("9.9.9.9")),
        (&[b"\xff", b"9.9.9.9"], Some("9.9.9.9")),
        (&[b"\xff, 9.9.9.9, 10.0.0.2"], Some("9.9.9.9")),
        (&[b"rubbish"], None),
        (&[b"\xff"], None),
        (&[b"9.9.9.9", b"\xff"], None),
        (&[b"9.9.9.9, \xff, 10.0.0.2"], None),
        (&[b"9.9.9.9,"], None),
        (&[b""], None),
        (&[b"[9.9.9.9"], None),
        (&[b"9.9.9.9:x"], None),
    ] {
        let mut request = TestRequest::default().peer_addr("10.0.0.1:1".parse().unwrap());
        for list in lists {
            let list = HeaderValue::from_bytes(list).unwrap();
            request = request.append_header(("X-Forwarded-For", list));
        }
        let request = request.to_http_request();
        let nets = trusted();
        let origin = ForwardedInfo::of(request.head(), &nets);
        let expected = client.map(|client| client.parse().unwrap());
        assert_eq!(origin.client, expected, "{lists:?}");
    }
}

/// A server that reads another one of several hosts than the proxy in front of it serves a host
/// that the client did not ask for.
#[test]
fn several_host_headers_name_no_host() {
    for (hosts, forwarded, expected) in [
        (&["shop"][..], None, "http://shop"),
        (&["shop"], Some("front"), "http://front"),
        (&[], Some("front"), "http://front"),
        (&[], None, "http://"),
        (&["shop", "shop"], None, "http://"),
        (&["shop", "evil"], Some("front"), "http://"),
        (&["evil, shop"], None, "http://evil, shop"),
        (&["evil"], Some("evil, front"), "http://front"),
    ] {
        let mut request = TestRequest::default().peer_addr("10.0.0.1:1".parse().unwrap());
        for host in hosts {
            request = request.append_header(("Host", *host));
        }
        if let Some(forwarded) = forwarded {
            request = request.append_header(("X-Forwarded-Host", forwarded));
        }
        let request = request.to_http_request();
        let nets = trusted();
        let origin = ForwardedInfo::of(request.head(), &nets);
        assert_eq!(origin.base(), expected, "{hosts:?} {forwarded:?}");
    }
}

#[test]
fn a_trusted_proxy_without_forwarding_headers_is_the_client() {
    let request = TestRequest::default()
        .insert_header(("Host", "shop"))
        .peer_addr("10.0.0.1:1".parse().unwrap())
        .to_http_request();
    let nets = trusted();
    let origin = ForwardedInfo::of(request.head(), &nets);
    assert_eq!(
        (origin.base().as_str(), origin.client),
        ("http://shop", Some([10, 0, 0, 1].into()))
    );
}

#[test]
fn public_urls_are_http_without_a_query() {
    for (text, host, path) in [
        ("https://shop.example.org", "shop.example.org", ""),
        ("http://localhost:8000/", "localhost", ""),
        ("https://[::1]:8000/shop/", "::1", "/shop"),
        ("https://shop/a/b~c", "shop", "/a/b~c"),
    ] {
        let url = PublicUrl::parse(text).unwrap();
        assert_eq!(url.as_str(), text.trim_end_matches('/'));
        assert_eq!((url.host(), url.path()), (host, path));
    }
    for text in [
        "",
        "https://a/\"b",
        "https://a/<b>",
        "https://a/{path}",
        "shop",
        "shop.example.org",
        "ftp://shop",
        "https://",
        "/x",
        "https://a@b",
        "https://a?b",
        "https://a#b",
        "https://a b",
    ] {
        assert_eq!(PublicUrl::parse(text), Err(NotAPublicUrl), "{text}");
    }
}

#[test]
fn forwarding_headers_hide_the_client_unless_a_trusted_proxy_names_it() {
    let forwarding = [
        "X-Forwarded-For",
        "X-Forwarded-Host",
        "X-Forwarded-Proto",
        "X-Forwarded-Prefix",
        "X-Forwarded",
        "Forwarded",
        "Forwarded-For",
        "Via",
        "X-Real-IP",
        "CF-Connecting-IP",
        "CF-Connecting-IPv6",
        "CF-Ray",
        "CDN-Loop",
        "True-Client-IP",
        "Client-IP",
        "X-Client-IP",
        "X-Cluster-Client-IP",
        "Fastly-Client-IP",
        "Fly-Client-IP",
        "X-Azure-ClientIP",
        "X-Azure-SocketIP",
        "X-Envoy-External-Address",
        "X-Original-Forwarded-For",
        "X-Original-Host",
        "X-ProxyUser-Ip",
        "X-Appengine-User-IP",
        "WL-Proxy-Client-IP",
        "X-Remote-IP",
        "X-Remote-Addr",
        "X-Amz-Cf-Id",
        "X-Varnish",
    ];
    let plain = [
        "Accept",
        "Accept-Encoding",
        "Authorization",
        "User-Agent",
        "X-Prometheus-Scrape-Timeout-Seconds",
        "Connection",
        "X-Request-ID",
    ];
    let trusted = ["10.0.0.0/8".parse().unwrap()];
    let hidden = |peer: &str, headers: &[&str]| {
        let mut request = TestRequest::default().peer_addr(peer.parse().unwrap());
        for name in headers {
            request = request.append_header((*name, "127.0.0.1"));
        }
        is_via_untrusted_proxy(request.to_http_request().head(), &trusted)
    };
    for name in forwarding {
        assert!(hidden("127.0.0.1:1", &[name]), "{name}");
        assert!(!hidden("10.0.0.1:1", &[name, "X-Forwarded-For"]), "{name}");
        let names_a_client = name == "X-Forwarded-For";
        assert_eq!(hidden("10.0.0.1:1", &[name]), !names_a_client, "{name}");
    }
    for peer in ["127.0.0.1:1", "10.0.0.1:1"] {
        assert!(!hidden(peer, &plain), "{peer}");
    }
}
