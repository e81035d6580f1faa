// Publishes what stands on standard input, as a bank's own service would: KafkaJS, and the registry client of its makers.
//
// { brokers: [address], registry: URL, schemas: { name: { path, topic } },
//   records: [{ schema, key, fields | null, headers }] }  ->  { name: id in the registry }

import { readFile } from "node:fs/promises";
import { json } from "node:stream/consumers";
import registryClient from "@kafkajs/confluent-schema-registry";
import kafkajs from "kafkajs";
import { logicalTypes } from "./types.mjs";

const { COMPATIBILITY, SchemaRegistry, SchemaType } = registryClient;
const { CompressionTypes, Kafka, logLevel } = kafkajs;

const plan = await json(process.stdin);
const registry = new SchemaRegistry({ host: plan.registry }, { [SchemaType.AVRO]: { logicalTypes, wrapUnions: false } });
const kafka = new Kafka({ clientId: "bank-core", brokers: plan.brokers, logLevel: logLevel.WARN });
const producer = kafka.producer({ idempotent: true, allowAutoTopicCreation: false });

const ids = {};
for (const [name, { path, topic }] of Object.entries(plan.schemas)) {
  const schema = { type: SchemaType.AVRO, schema: await readFile(path, "utf8") };
  const options = { subject: `${topic}-value`, compatibility: COMPATIBILITY.FULL_TRANSITIVE };
  ids[name] = (await registry.register(schema, options)).id;
}

await producer.connect();
try {
  for (const { schema, key, fields, headers } of plan.records) {
    const value = fields === null ? null : await registry.encode(ids[schema], fields);
    await producer.send({
      topic: plan.schemas[schema].topic,
      compression: CompressionTypes.GZIP,
      messages: [{ key, value, headers }],
    });
  }
} finally {
  await producer.disconnect();
}
process.stdout.write(JSON.stringify(ids));
