// Reads requests, one JSON object a line, with the official libraries; prints how many it accepted, or what was wrong.
const fs = require("fs");
const { Webhook } = require("standardwebhooks");
const { HTTP } = require("cloudevents");

let verified = 0;
const events = [];
for (const line of fs.readFileSync(process.argv[2], "utf8").split("\n").filter(Boolean)) {
  const { body: encoded, headers, secrets = [], cloudevent } = JSON.parse(line);
  const body = Buffer.from(encoded, "base64").toString("utf8");
  for (const secret of secrets) {
    new Webhook(secret).verify(body, headers);
    verified += 1;
    let refused = false;
    try {
      new Webhook(secret).verify(body + " ", headers);
    } catch {
      refused = true;
    }
    if (!refused) throw new Error("a changed body was accepted");
  }
  if (cloudevent) {
    for (const event of [HTTP.toEvent({ headers, body })].flat()) {
      event.validate();
      events.push([event.id, event.type, event.source, event.bankid ?? null, event.traceid ?? null, event.data]);
    }
  }
}
console.log(JSON.stringify({ verified, events }));
