// The console: which tools the mesh has, how its servers are, and any call by hand.

import { callTool, Failure, listServers, listTools, toolStats, useToken, watchTools } from "./api.js";
import { copyButton, el, json } from "./dom.js";
import { ArgumentForm } from "./form.js";
import { snippets } from "./snippets.js";

const $ = (id) => document.getElementById(id);
let tools = [];
let servers = [];
let running = null;

const isServing = (server) => server.health.status === "SERVER_STATUS_SERVING";

function showServers() {
  $("servers").replaceChildren(...servers.map((server) => {
    const kind = isServing(server) ? "good" : server.health.status === "SERVER_STATUS_NOT_SERVING" ? "" : "bad";
    const why = server.health.reason || "takes calls";
    return el("li", { title: `${server.target}: ${why}` }, el("span", { class: `dot ${kind}` }), server.name,
      el("span", { class: "small" }, ` ${server.tools || 0} tools${isServing(server) ? "" : `, ${why}`}`));
  }));
}

function showTools() {
  const words = $("search").value.toLowerCase().split(/\s+/).filter(Boolean);
  const fits = (tool) => words.every((word) =>
    `${tool.name} ${tool.title} ${tool.description} ${(tool.tags || []).join(" ")}`.toLowerCase().includes(word));
  const chosen = decodeURIComponent(location.hash.slice(1));
  const groups = Map.groupBy ? Map.groupBy(tools.filter(fits), (tool) => tool.server) : grouped(tools.filter(fits));
  $("tools").replaceChildren(...[...groups].flatMap(([server, members]) => [
    el("h3", {}, server),
    ...members.map((tool) => el("a", {
      href: `#${tool.name}`, title: tool.title, class: tool.available ? "tool" : "tool away",
      "aria-current": tool.name === chosen ? "page" : undefined,
    }, tool.name)),
  ]));
  if (!groups.size) $("tools").append(el("p", { class: "small" }, tools.length ? "No tool has these words." : ""));
}

function grouped(items) {
  const found = new Map();
  for (const item of items) found.set(item.server, [...(found.get(item.server) || []), item]);
  return found;
}

async function showOverview() {
  const stats = (await toolStats()).filter((item) => Number(item.calls)).sort((a, b) => b.calls - a.calls);
  // A tool may have been chosen meanwhile.
  if (location.hash.length > 1) return;
  const figure = (value) => el("td", { class: "figure" }, value);
  const head = ["Tool", "Calls", "Errors", "From cache", "p50 ms", "p99 ms"];
  $("main").replaceChildren(
    el("h2", {}, `${tools.length} tools on ${servers.length} servers`),
    el("p", {}, "Choose a tool on the left: its arguments become a form, and the same call is shown for every face. ",
      "The REST face is described in ", el("a", { href: "/openapi.json" }, "/openapi.json"), "; MCP is at /mcp."),
    el("p", { class: "small" }, "Numerology is a tradition with documented rules. The tools compute what each school ",
      "prescribes and show the sums; they claim no prediction."),
    el("h3", {}, "Calls through this gateway"),
    stats.length ? el("table", {},
      el("thead", {}, el("tr", {}, head.map((text, i) => el("th", { class: i ? "figure" : "" }, text)))),
      el("tbody", {}, stats.map((item) => el("tr", {},
        el("td", {}, el("a", { href: `#${item.tool_name}` }, item.tool_name)), figure(item.calls), figure(item.errors),
        figure(item.cache_hits), figure(item.p50_ms.toFixed(2)), figure(item.p99_ms.toFixed(2)))))) : el("p", {}, "None yet."),
  );
}

function flags(tool) {
  const found = [tool.read_only ? "reads only" : "changes something"];
  if (tool.destructive) found.push("can overwrite or delete");
  if (tool.server_streaming) found.push("streams");
  if (tool.cache_ttl) found.push(`cached ${tool.cache_ttl}`);
  return [...found, ...(tool.tags || [])];
}

function showTool(tool) {
  const form = new ArgumentForm(tool.input_schema || {}, tool.example);
  const raw = el("textarea", { rows: 12, hidden: true, "aria-label": "Arguments as JSON" });
  const answer = el("div", { id: "answer", "aria-live": "polite" });
  const others = el("div", {});
  const call = el("button", { class: "first" }, "Call");
  const mode = el("button", { type: "button" }, "Edit as JSON");
  const args = () => (raw.hidden ? form.values() : JSON.parse(raw.value || "{}"));

  const showOthers = () => {
    let found;
    try {
      found = snippets(tool, args());
    } catch {
      return;
    }
    others.replaceChildren(...Object.entries(found).flatMap(([face, text]) => [
      el("div", { class: "row" }, el("strong", {}, face), copyButton(() => text)), el("pre", {}, text)]));
  };
  mode.addEventListener("click", () => {
    if (raw.hidden) raw.value = JSON.stringify(form.values(), null, 2);
    raw.hidden = !raw.hidden;
    form.element.hidden = !raw.hidden;
    mode.textContent = raw.hidden ? "Edit as JSON" : "Back to the form";
    showOthers();
  });
  const area = el("form", { novalidate: true, oninput: showOthers, onsubmit: async (event) => {
    event.preventDefault();
    call.disabled = true;
    await run(tool, form, args, answer);
    call.disabled = false;
  } }, form.element, raw, el("div", { class: "row" }, call, mode));

  const paths = (tool.http || []).map((item) => `${item.method} ${item.path}`);
  const parts = [
    el("h2", {}, tool.title || tool.name),
    el("p", { class: "small" }, tool.name, " · ", tool.method),
    el("p", {}, tool.description),
    el("div", { class: "row tags" }, flags(tool).map((text) => el("span", {}, text))),
    !tool.available && el("p", { class: "failed" }, `Not available now: ${tool.unavailable_reason}`),
    el("h3", {}, "Arguments"), area, answer,
    el("h3", {}, "The same call elsewhere"), others,
    paths.length > 0 && el("p", { class: "small" }, `REST: ${paths.join(", ")}`),
    el("h3", {}, "Result's schema"),
    el("details", {}, el("summary", {}, "JSON Schema"), el("pre", {}, ...json(tool.output_schema || {}))),
  ];
  $("main").replaceChildren(...parts.filter(Boolean));
  showOthers();
}

async function run(tool, form, args, answer) {
  running?.abort();
  running = new AbortController();
  const signal = running.signal;
  answer.replaceChildren(el("p", { class: "small" }, "calling ..."));
  form.mark(new Map());
  const began = performance.now();
  try {
    const outcome = await callTool(tool.name, args(), signal);
    const took = (performance.now() - began).toFixed(0);
    answer.replaceChildren(...shown(outcome, took));
  } catch (error) {
    if (signal.aborted) return;
    if (error instanceof Failure) form.mark(error.fields());
    const details = error instanceof Failure && error.details.length > 0 && el("pre", {}, ...json(error.details));
    const parts = [el("h3", {}, "Failed"), el("p", { class: "failed" }, error.message), details];
    answer.replaceChildren(...parts.filter(Boolean));
  }
}

function shown(outcome, took) {
  const result = outcome.result ?? {};
  const cached = ["CACHE_STATE_HIT", "CACHE_STATE_STALE"].includes(outcome.cache);
  const from = cached ? `, an earlier result, ${outcome.age} old` : "";
  const text = result.answer || result.result?.explanation?.text || result.explanation?.text || result.explanation;
  const isImage = /^image\/[a-z+.-]+$/.test(result.content_type || "") && result.data;
  return [
    el("h3", {}, "Result"),
    el("p", { class: "small" }, `${took} ms${from}`),
    typeof text === "string" && text !== "" && el("p", { class: "said" }, text),
    isImage && el("img", { src: `data:${result.content_type};base64,${result.data}`, alt: "the image that the tool drew" }),
    el("pre", {}, ...json(result)),
  ].filter(Boolean);
}

function show() {
  showTools();
  const name = decodeURIComponent(location.hash.slice(1));
  const tool = tools.find((item) => item.name === name);
  if (tool) showTool(tool);
  else if (name) $("main").replaceChildren(el("p", {}, `There is no tool ${name}.`));
  else showOverview().catch(failed);
}

function failed(error) {
  const wantsToken = error instanceof Failure && error.httpStatus === 401;
  $("login").hidden = !wantsToken;
  $("state").textContent = wantsToken ? "this mesh asks for a token" : `no connection: ${error.message}`;
}

async function refresh() {
  [tools, servers] = await Promise.all([listTools(), listServers()]);
  $("login").hidden = true;
  $("state").textContent = `live, ${tools.length} tools`;
  showServers();
  showTools();
}

// Follows the catalog for as long as the page is open; pauses grow while the mesh is away.
async function follow() {
  let pause = 500;
  for (;;) {
    try {
      await refresh();
      if (!$("main").childElementCount || !location.hash) show();
      pause = 500;
      await watchTools(() => refresh().catch(failed));
    } catch (error) {
      failed(error);
      if (error instanceof Failure && error.httpStatus === 401) return;
    }
    await new Promise((resolve) => { setTimeout(resolve, pause); });
    pause = Math.min(pause * 2, 10_000);
  }
}

$("login").addEventListener("submit", (event) => {
  event.preventDefault();
  useToken($("token").value);
  follow();
});
$("search").addEventListener("input", showTools);
addEventListener("hashchange", show);
addEventListener("keydown", (event) => {
  const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement?.tagName || "");
  if (event.key === "/" && !typing) {
    event.preventDefault();
    $("search").focus();
  }
});
follow();
