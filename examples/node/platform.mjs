// What the PSA platform does on RabbitMQ: it publishes events until they are confirmed, and takes outcomes in.
//
//     npm install amqplib
//     node examples/node/platform.mjs publish EVENT.json...
//     node examples/node/platform.mjs outcomes
//
// CALSYNC_RABBITMQ_URL says where the broker is.
import { readFile } from "node:fs/promises";
import amqp from "amqplib";

const QUEUE = "platform.outcomes.v1";

// Publishes events in their order; resolves when the broker has them all. If it rejects, nobody knows which of them
// arrived: publish all of them again, best from an outbox that was written in the transaction of the change.
export async function publish(url, bodies) {
  const connection = await amqp.connect(url);
  try {
    const channel = await connection.createConfirmChannel();
    const returned = [];
    channel.on("return", (message) => returned.push(message.fields.routingKey));
    for (const body of bodies) {
      const event = JSON.parse(body.toString("utf8"));
      channel.publish("psa.events", event.type, body, {
        contentType: "application/cloudevents+json",
        persistent: true,
        mandatory: true, // what no queue takes comes back instead of being forgotten
        messageId: event.id,
      });
    }
    await channel.waitForConfirms();
    if (returned.length > 0) throw new Error(`no queue takes ${returned}`);
  } finally {
    await connection.close();
  }
}

// Calls handle for each outcome and acknowledges it afterwards. After a crash it comes again, under the same id.
export async function outcomes(url, handle) {
  const connection = await amqp.connect(url);
  const channel = await connection.createChannel();
  await channel.prefetch(50);
  await channel.assertQueue(QUEUE, { durable: true, arguments: { "x-queue-type": "quorum" } });
  await channel.bindQueue(QUEUE, "calsync.outcomes", "#");
  await channel.consume(QUEUE, async (message) => {
    if (message === null) return; // the queue was deleted
    await handle(JSON.parse(message.content.toString("utf8")));
    channel.ack(message);
  });
  return connection;
}

// What is known, as a platform would keep it in its database: the newest of each type about each subject.
export function board() {
  const newest = new Map();
  return (outcome) => {
    const about = [outcome.data.integration_id, outcome.type, outcome.subject].join(" ");
    const known = newest.get(about);
    if (known !== undefined && Date.parse(known.time) > Date.parse(outcome.time)) return false;
    newest.set(about, outcome);
    return true;
  };
}

const [what, ...names] = process.argv.slice(2);
const where = process.env.CALSYNC_RABBITMQ_URL;
if (what === "publish") {
  await publish(where, await Promise.all(names.map((name) => readFile(name))));
} else if (what === "outcomes") {
  const isNews = board();
  await outcomes(where, async (outcome) => {
    if (isNews(outcome)) console.log(outcome.type, outcome.subject, JSON.stringify(outcome.data));
  });
}
