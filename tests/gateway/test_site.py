"""Where a token is set the document asks for it; the console's own files, which hold nothing of the mesh, do not."""

import httpx


async def test_the_document_asks_for_the_token_and_the_console_does_not(utilities, start_gateway):
    locked = await start_gateway({"utilities": utilities.port}, auth_token="let-me-in")
    base = locked.mcp_url.removesuffix("/mcp")
    async with httpx.AsyncClient(base_url=base) as http:
        refused = await http.get("/openapi.json")
        assert refused.status_code == 401
        assert refused.headers["www-authenticate"] == "Bearer"
        found = await http.get("/openapi.json", headers={"authorization": "Bearer let-me-in"})
        assert found.json()["security"] == [{"bearer": []}]
        page = await http.get("/console/")
        assert page.status_code == 200
        assert "calculate_life_path" not in page.text
