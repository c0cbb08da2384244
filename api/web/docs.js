"use strict";

function element(name, ...children) {
  const e = document.createElement(name);
  e.append(...children);
  return e;
}

function table(head, rows) {
  const t = element("table", element("tr", ...head.map(h => element(h ? "th" : "td", h))));
  for (const row of rows) t.append(element("tr", ...row.map(c => element("td", c))));
  const scroll = element("div", t);
  scroll.className = "scroll";
  return scroll;
}

const nameOf = schema => schema.$ref.split("/").pop();

function typeOf(schema) {
  if (!schema) return "";
  if (schema.$ref) {
    const a = element("a", nameOf(schema));
    a.href = "#" + nameOf(schema);
    return a;
  }
  if (schema.type === "array") return element("span", "list of ", typeOf(schema.items));
  if (schema.properties && schema.properties.result) return element("span", "lines of {\"result\": ", typeOf(schema.properties.result), "}");
  return schema.format ? schema.type + " (" + schema.format + ")" : schema.type;
}

// tryIt sends a GET with what was typed and shows the answer.
function tryIt(path, parameters) {
  const fields = parameters.map(p => [p, element("input")]);
  for (const [p, input] of fields) input.setAttribute("aria-label", p.name);
  const button = element("button", "Send");
  const out = element("pre");
  out.hidden = true;
  button.onclick = async () => {
    let url = path;
    const query = new URLSearchParams();
    for (const [p, input] of fields) {
      if (p.in === "path") url = url.replace("{" + p.name + "}", p.name === "path" ? encodeURI(input.value) : encodeURIComponent(input.value));
      else if (input.value) query.set(p.name, input.value);
    }
    out.hidden = false;
    try {
      const r = await fetch("." + url + (query.size ? "?" + query : ""));
      const type = r.headers.get("Content-Type") || "";
      let text = type.includes("octet-stream") ? (await r.arrayBuffer()).byteLength + " bytes" : await r.text();
      if (type.includes("application/json")) text = JSON.stringify(JSON.parse(text), null, 2);
      out.textContent = r.status + " " + type + "\n\n" + text;
    } catch (err) {
      out.textContent = String(err);
    }
  };
  return element("div", table(["try it"], fields.map(([p, input]) => [element("code", p.name), input])), button, out);
}

// example shows an example, if there is one.
function example(value) {
  return value === undefined ? "" : element("pre", JSON.stringify(value, null, 2));
}

function operation(path, method, op) {
  const d = element("details", element("summary", element("strong", method.toUpperCase()), element("code", path), " ", element("div", op.summary || "")));
  const parameters = op.parameters || [];
  if (parameters.length) {
    d.append(table(["parameter", "in", "type", ""], parameters.map(p => [element("code", p.name), p.in, typeOf(p.schema), p.description || ""])));
  }
  if (op.requestBody) {
    const body = Object.values(op.requestBody.content)[0];
    d.append(table(["body", ""], [[typeOf(body.schema), example(body.example)]]));
  }
  d.append(table(["answer", "type", "", "example"], Object.entries(op.responses).map(([s, r]) => {
    const [type, content] = Object.entries(r.content)[0];
    return [s, content.schema ? typeOf(content.schema) : type, r.description, example(content.example)];
  })));
  if (method === "get" && !path.endsWith("/stream")) d.append(tryIt(path, parameters));
  return d;
}

function definition(name, schema) {
  const h = element("h3", name);
  h.id = name;
  const rows = Object.entries(schema.properties || {}).map(([n, p]) => [element("code", n), typeOf(p), p.description || ""]);
  return element("section", h, element("p", schema.description || ""), table(["member", "type", ""], rows));
}

async function show() {
  const doc = await (await fetch("./openapi.json")).json();
  document.getElementById("title").textContent = doc.info.title;
  document.getElementById("about").textContent = doc.info.description;
  const main = document.getElementById("interface");
  main.replaceChildren(element("h2", "Routes"));
  for (const [path, item] of Object.entries(doc.paths)) {
    for (const [method, op] of Object.entries(item)) main.append(operation(path, method, op));
  }
  main.append(element("h2", "Types"));
  for (const [name, schema] of Object.entries(doc.components.schemas)) main.append(definition(name, schema));
}

show().catch(err => { document.getElementById("interface").textContent = "openapi.json could not be read: " + err; });
