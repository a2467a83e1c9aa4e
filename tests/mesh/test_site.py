"""The console and the document as a browser gets them through the edge."""

import re

import pytest


async def test_the_root_leads_to_the_console_and_everything_it_loads_is_there(faces):
    answer = await faces.http.get("/", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (307, "/console/")
    page = await faces.http.get("/console/")
    assert page.headers["content-type"].startswith("text/html")
    loaded = re.findall(r'(?:src|href)="(/console/[^"]+)"', page.text)
    assert len(loaded) == 2
    seen = set()
    while loaded:
        path = loaded.pop()
        if path in seen:
            continue
        seen.add(path)
        file = await faces.http.get(path)
        assert file.status_code == 200, path
        loaded += [f"/console/{name}" for name in re.findall(r'from "\./([\w.]+)"', file.text)]
    assert len(seen) >= 5


async def test_the_page_may_load_and_call_nothing_but_the_mesh(faces):
    policy = (await faces.http.get("/console/")).headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "connect-src 'self'" in policy
    assert "unsafe" not in policy


async def test_what_has_not_changed_is_not_sent_again(faces):
    first = await faces.http.get("/openapi.json")
    assert first.headers["content-encoding"] == "gzip"
    again = await faces.http.get("/openapi.json", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    head = await faces.http.head("/openapi.json")
    assert (head.status_code, head.content) == (200, b"")


@pytest.mark.parametrize(
    "path", ["/console/nothing.js", "/console/../http.py", "/console/%2e%2e/http.py", "/console/x/y", "/openapi.yaml"]
)
async def test_what_is_not_there_is_404_with_a_status(faces, path):
    answer = await faces.http.get(path)
    assert answer.status_code == 404
    assert answer.json()["code"] == 5


async def test_only_reading_is_possible(faces):
    answer = await faces.http.post("/openapi.json", json={})
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")
