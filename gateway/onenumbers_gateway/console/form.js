// A form from the JSON Schema of a tool's arguments. What a field cannot hold is written as JSON.

import { el } from "./dom.js";

const DEEPEST = 2;

function resolved(schema, root) {
  return schema.$ref ? root.$defs[schema.$ref.replace("#/$defs/", "")] : schema;
}

// The schema that tells how a value is typed in: rules that also allow "unset" are alternatives of it.
function main(schema) {
  return schema.anyOf ? { ...schema, ...schema.anyOf[0] } : schema;
}

function limits(schema) {
  const said = [];
  if (schema.minimum !== undefined && schema.minimum > -2147483648) said.push(`from ${schema.minimum}`);
  if (schema.maximum !== undefined && schema.maximum < 2147483647) said.push(`to ${schema.maximum}`);
  if (schema.maxLength !== undefined) said.push(`at most ${schema.maxLength} characters`);
  if (schema.maxItems !== undefined) said.push(`at most ${schema.maxItems} items`);
  return said.join(" ");
}

function control(schema, path, value) {
  const kinds = [].concat(schema.type || []);
  const shared = { name: path };
  if (schema.enum) {
    const options = ["", ...schema.enum.filter((item) => item !== "")];
    return el("select", shared, options.map((item) => el("option", { value: item, selected: item === value }, `${item}`)));
  }
  if (kinds.includes("boolean")) {
    const chosen = value === undefined ? "" : `${value}`;
    const options = ["", "true", "false"];
    return el("select", shared, options.map((item) => el("option", { value: item, selected: item === chosen }, item)));
  }
  if (kinds.includes("integer") || kinds.includes("number")) {
    const step = kinds.includes("integer") ? 1 : "any";
    return el("input", { ...shared, type: kinds.includes("string") ? "text" : "number", step, value: value ?? "" });
  }
  if (kinds.includes("string") && (schema.maxLength || 0) <= 1000) return el("input", { ...shared, value: value ?? "" });
  const text = value === undefined ? "" : typeof value === "string" ? value : JSON.stringify(value, null, 2);
  const area = el("textarea", { ...shared, rows: kinds.includes("string") ? 4 : 3 });
  area.value = text;
  return area;
}

export class ArgumentForm {
  constructor(schema, example = {}) {
    this.root = schema;
    this.inputs = new Map();
    this.notes = new Map();
    this.element = el("div", { class: "fields" }, this.#fields(schema, "", example || {}, 0));
  }

  #fields(schema, prefix, values, depth) {
    const needed = new Set(schema.required || []);
    // A JSON object has no order: first what must be given, then what the example gives, then the rest.
    const place = (name) => (needed.has(name) ? [...needed].indexOf(name) : name in values ? 1000 : 2000);
    const properties = Object.entries(schema.properties || {})
      .sort(([one], [other]) => place(one) - place(other) || one.localeCompare(other));
    return properties.map(([name, raw]) => {
      const path = prefix + name;
      const inner = main(resolved(raw, this.root));
      const isMessage = raw.$ref && inner.properties;
      if (isMessage && depth < DEEPEST && !JSON.stringify(inner).includes(raw.$ref)) {
        const fields = this.#fields(inner, `${path}.`, values[name] || {}, depth + 1);
        return el("fieldset", {}, el("legend", { class: needed.has(name) ? "needed" : "" }, name), this.#about(path, raw),
          el("div", { class: "fields" }, fields));
      }
      return this.#field(path, name, raw, inner, values[name], needed.has(name));
    });
  }

  #field(path, name, raw, schema, value, needed) {
    const input = control(schema, path, value);
    const kinds = [].concat(schema.type || []);
    const asJson = !schema.enum && !["boolean", "integer", "number", "string"].some((kind) => kinds.includes(kind));
    if (asJson) input.placeholder = kinds.includes("array") ? "[ ... ]" : "{ ... }";
    this.inputs.set(path, { input, kinds, asJson });
    const wide = input.tagName === "TEXTAREA" ? "wide" : "";
    return el("label", { class: wide }, el("span", { class: needed ? "needed" : "" }, name), input,
      this.#about(path, raw, limits(schema)));
  }

  #about(path, schema, more = "") {
    const note = el("small", {}, [schema.description, more && `(${more})`].filter(Boolean).join(" "));
    this.notes.set(path, { note, text: note.textContent });
    return note;
  }

  // What is filled in, as the tool takes it. Throws where a field is no JSON.
  values() {
    const found = {};
    for (const [path, { input, kinds, asJson }] of this.inputs) {
      const text = input.value;
      if (text === "") continue;
      let value = text;
      if (asJson) {
        try {
          value = JSON.parse(text);
        } catch (error) {
          throw new Error(`${path} is no JSON: ${error.message}`);
        }
      } else if (kinds.includes("boolean")) value = text === "true";
      else if ((kinds.includes("integer") || kinds.includes("number")) && !kinds.includes("string")) value = Number(text);
      let place = found;
      const names = path.split(".");
      for (const name of names.slice(0, -1)) place = place[name] ??= {};
      place[names.at(-1)] = value;
    }
    return found;
  }

  // Shows what is wrong beside the fields that are named.
  mark(fields) {
    for (const [path, { note, text }] of this.notes) {
      const wrong = fields.get(path);
      note.className = wrong ? "wrong" : "";
      note.textContent = wrong || text;
    }
  }
}
