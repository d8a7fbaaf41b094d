// Commands that do what is shown, for a shell. The token is never in them.

export function curl(session, method, path, body, type) {
  const who = session.token ? '-H "X-Auth-Token: $TOKEN"' : `-H ${quoted(`X-Project-Id: ${session.project}`)}`;
  const lines = [`curl -X ${method} ${who}`, `-H 'Client-ID: ${session.client}'`];
  if (body !== undefined) {
    lines.push(`-H 'Content-Type: ${type ?? "application/json"}'`, `-d ${quoted(JSON.stringify(body))}`);
  }
  lines.push(quoted(new URL(`../v2${path}`, document.baseURI).href));
  return lines.join(" \\\n  ");
}

function quoted(text) {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
