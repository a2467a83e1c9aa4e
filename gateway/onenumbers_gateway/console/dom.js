// Elements from data. Text is always set as text: nothing of an answer is read as markup.

export function el(tag, attributes = {}, ...children) {
  const found = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    if (name.startsWith("on")) found.addEventListener(name.slice(2), value);
    else if (name === "class") found.className = value;
    else found.setAttribute(name, value === true ? "" : value);
  }
  found.append(...children.flat().filter((child) => child !== undefined && child !== null && child !== false));
  return found;
}

// JSON with its keys and numbers told apart by colour.
export function json(value, indent = "") {
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    if (!value.length) return ["[]"];
    if (value.every((item) => typeof item === "number")) return [el("span", { class: "number" }, `[${value.join(", ")}]`)];
    const items = value.flatMap((item, i) => [i ? ",\n" : "", inner, ...json(item, inner)]);
    return ["[\n", ...items, `\n${indent}]`];
  }
  if (value && typeof value === "object") {
    const keys = Object.keys(value);
    if (!keys.length) return ["{}"];
    const items = keys.flatMap((key, i) => [
      i ? ",\n" : "", inner, el("span", { class: "key" }, JSON.stringify(key)), ": ", ...json(value[key], inner),
    ]);
    return ["{\n", ...items, `\n${indent}}`];
  }
  return [el("span", { class: typeof value === "string" ? "text" : "number" }, JSON.stringify(value))];
}

export function copyButton(text) {
  const button = el("button", { type: "button" }, "Copy");
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(text());
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  });
  return button;
}
