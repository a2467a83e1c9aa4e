// The same call on the other faces, ready to be pasted.

function quoted(text) {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

// Arguments as Python writes them: JSON but for three words.
function python(value) {
  if (Array.isArray(value)) return `[${value.map(python).join(", ")}]`;
  if (value && typeof value === "object") {
    return `{${Object.entries(value).map(([key, part]) => `${JSON.stringify(key)}: ${python(part)}`).join(", ")}}`;
  }
  if (value === null || value === undefined) return "None";
  return typeof value === "boolean" ? (value ? "True" : "False") : JSON.stringify(value);
}

function curl(tool, args, origin) {
  const binding = (tool.http || []).find((item) => item.method === "POST" && item.body === "*" && !item.path.includes("{"));
  const path = binding ? binding.path : `/v1/tools/${tool.name}:call`;
  const body = binding ? args : { arguments: args };
  return `curl ${quoted(origin + path)} -H 'content-type: application/json' \\\n  -d ${quoted(JSON.stringify(body))}`;
}

export function snippets(tool, args, origin = location.origin) {
  const host = origin.replace(/^https?:\/\//, "");
  const plain = origin.startsWith("https:") ? "" : " -plaintext";
  const text = JSON.stringify(args);
  return {
    curl: curl(tool, args, origin),
    grpcurl: `grpcurl${plain} -d ${quoted(text)} \\\n  ${host} ${tool.method}`,
    "MCP (Python)": `from mcp.client import Client\n\nasync with Client("${origin}/mcp") as client:\n`
      + `    result = await client.call_tool(${JSON.stringify(tool.name)}, ${python(args)})`,
    "command line": `onenumbers call ${tool.name} ${quoted(text)}`,
  };
}
