// Calls to the mesh that serves this page. The token lives in memory only: a reload forgets it.

let token = "";

export class Failure extends Error {
  constructor(status, httpStatus) {
    super(status.message || `HTTP ${httpStatus}`);
    this.httpStatus = httpStatus;
    this.details = status.details || [];
  }

  // Fields that the failure names, with what is wrong about each.
  fields() {
    const found = new Map();
    for (const detail of this.details) {
      for (const item of detail.field_violations || detail.fieldViolations || []) {
        found.set(item.field.replace(/^arguments\./, ""), item.description);
      }
    }
    return found;
  }
}

export function useToken(value) {
  token = value;
}

function headers(more = {}) {
  return token ? { ...more, authorization: `Bearer ${token}` } : more;
}

async function ask(path, options = {}) {
  const answer = await fetch(path, { ...options, headers: headers(options.headers) });
  const text = await answer.text();
  let body = {};
  try {
    body = JSON.parse(text);
  } catch {
    body = { message: text.slice(0, 300) };
  }
  if (!answer.ok) throw new Failure(body, answer.status);
  return body;
}

export async function listTools() {
  const tools = [];
  let next = "";
  do {
    const page = await ask(`/v1/tools?page_token=${encodeURIComponent(next)}`);
    tools.push(...(page.tools || []));
    next = page.next_page_token;
  } while (next);
  return tools;
}

export async function listServers() {
  return (await ask("/v1/servers")).servers || [];
}

export async function toolStats() {
  return (await ask("/v1/tools:stats")).stats || [];
}

export function callTool(name, args, signal) {
  return ask(`/v1/tools/${encodeURIComponent(name)}:call`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ arguments: args }),
    signal,
  });
}

// Calls `changed` for each state of the catalog until the stream ends or fails. EventSource cannot carry a token.
export async function watchTools(changed) {
  const answer = await fetch("/v1/tools:watch", { headers: headers() });
  if (!answer.ok) throw new Failure({ message: "" }, answer.status);
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const lines = (rest + value).split("\n");
    rest = lines.pop();
    for (const line of lines) if (line.trim()) changed(JSON.parse(line));
  }
}
