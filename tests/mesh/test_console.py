"""The console in a real browser, on a running mesh."""

import asyncio
import shutil

import pytest
from playwright.async_api import async_playwright, expect

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on the PATH")
# Chromium's own calls home are off: a closed network refuses them, many at a time.
QUIET = ["--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-sync"]


@pytest.fixture
async def page(mesh):
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        opened = await browser.new_page()
        complaints = []
        opened.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        opened.on("pageerror", lambda error: complaints.append(str(error)))
        await opened.goto(f"{mesh.url}/")
        yield opened
        await browser.close()
    # A refused call is what one of the tests is about; the browser reports each.
    assert [text for text in complaints if "status of 400" not in text] == []


async def test_a_tool_is_found_filled_in_and_called(page):
    await page.get_by_label("Find a tool").fill("life path")
    await page.locator("nav").get_by_role("link", name="calculate_life_path", exact=True).click()
    await expect(page.get_by_role("heading", level=2)).to_have_text("Life path number")
    await page.locator("[name=year]").fill("1968")
    await page.get_by_role("button", name="Call").click()
    await expect(page.locator("#answer pre")).to_contain_text('"value": 22')
    await page.goto(page.url.split("#")[0])
    await expect(page.locator("main table")).to_contain_text("calculate_life_path")


async def test_a_wrong_value_is_told_beside_its_field(page):
    await page.locator("nav").get_by_role("link", name="calculate_life_path", exact=True).click()
    await page.locator("[name=day]").fill("32")
    await page.get_by_role("button", name="Call").click()
    wrong = page.locator("label:has([name=day]) small.wrong")
    await expect(wrong).to_contain_text("31")
    await expect(page.locator("#answer .failed")).to_contain_text("day")


async def test_a_tool_that_is_chosen_while_the_overview_is_fetched_stays(page):
    """The overview came late, and took the place of the form."""

    async def late(route):
        await asyncio.sleep(1)
        await route.continue_()

    await page.route("**/v1/tools:stats*", late)
    await page.reload()
    async with page.expect_response("**/v1/tools:stats*"):
        await page.locator("nav").get_by_role("link", name="calculate_life_path", exact=True).click()
        await expect(page.locator("[name=year]")).to_be_visible()
    await page.wait_for_timeout(300)
    await expect(page.locator("[name=year]")).to_be_visible()


async def test_arguments_can_be_written_as_json_and_the_other_faces_follow(page):
    await page.locator("nav").get_by_role("link", name="calculate_expression_number", exact=True).click()
    await page.get_by_role("button", name="Edit as JSON").click()
    await page.get_by_label("Arguments as JSON").fill('{"name": "Ana \'O\'\\u0103"}')
    await expect(page.locator("main")).to_contain_text("'\\''O'\\''ă")
    await page.get_by_role("button", name="Call").click()
    await expect(page.locator("#answer pre")).to_contain_text('"text": "ANA"')
    await page.get_by_label("Arguments as JSON").fill("{")
    await page.get_by_role("button", name="Call").click()
    await expect(page.locator("#answer .failed")).to_contain_text("JSON")


async def test_nothing_of_an_answer_is_read_as_markup(page):
    await page.locator("nav").get_by_role("link", name="calculate_expression_number", exact=True).click()
    await page.locator("[name=name]").fill("<img src=x onerror=alert(1)><b>Ana</b>")
    await page.get_by_role("button", name="Call").click()
    await expect(page.locator("#answer p").first).not_to_have_text("calling ...")
    assert await page.locator("#answer img, #answer b").count() == 0
