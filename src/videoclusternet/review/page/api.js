// What the server answers. The address of the page holds the token: all others are beside it.

export class Refused extends Error {
  constructor(status, said) {
    super(said.error || "the server refuses this");
    this.status = status;
    this.advice = said.advice || "";
  }
}

async function read(answer) {
  if (answer.status === 204) return null;
  const said = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Refused(answer.status, said);
  return said;
}

export async function get(path) {
  return read(await fetch(`api/${path}`));
}

export async function post(path, values) {
  const body = JSON.stringify(values);
  const headers = { "content-type": "application/json" };
  return read(await fetch(`api/${path}`, { method: "POST", headers, body }));
}
