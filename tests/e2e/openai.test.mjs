// The official JavaScript SDK through the gateway: what a program sees, and the rows it leaves.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import OpenAI from 'openai';
import { eventually, HELLO, SLOW, Stage } from './harness.mjs';

const WEATHER = {
  type: 'function',
  function: {
    name: 'get_weather',
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
};

const stage = new Stage();
let client;

before(async () => {
  await stage.start();
  client = new OpenAI({ baseURL: `${stage.url}/v1`, apiKey: 'client-key', maxRetries: 0 });
});
after(() => stage.stop());

const chat = (more, how) => client.chat.completions.create({ model: 'lab/chat', messages: HELLO, ...more }, how);

async function gathered(stream) {
  const all = { text: '', chunks: [] };
  for await (const chunk of stream) {
    all.chunks.push(chunk);
    all.text += chunk.choices[0]?.delta.content ?? '';
  }
  return all;
}

test('a buffered chat', async () => {
  const { data, response } = await client.chat.completions
    .create({ model: 'lab/chat', messages: HELLO })
    .withResponse();
  assert.ok(data.choices[0].message.content);
  assert.equal(data.choices[0].finish_reason, 'stop');
  assert.equal(data.system_fingerprint, 'lab: not a real model');
  assert.equal(data.usage.total_tokens, data.usage.prompt_tokens + data.usage.completion_tokens);
  assert.equal(response.headers.get('x-sluice-provider'), 'lab');
  assert.match(response.headers.get('x-request-id'), /^req_/);
});

test('SSE-6 a streamed chat reads as the buffered one', async () => {
  const whole = await chat();
  const streamed = await gathered(await chat({ stream: true, stream_options: { include_usage: true } }));
  assert.equal(streamed.text, whole.choices[0].message.content);
  assert.deepEqual(streamed.chunks.at(-1).usage, whole.usage);
  assert.deepEqual(streamed.chunks.at(-1).choices, []);
});

test('SSE-6 the helper for streams puts tool calls together as the buffered reply has them', async () => {
  const asked = { model: 'lab/tools', messages: HELLO, tools: [WEATHER] };
  const whole = (await client.chat.completions.create(asked)).choices[0];
  assert.equal(whole.finish_reason, 'tool_calls');
  const final = (await client.chat.completions.stream(asked).finalChatCompletion()).choices[0];
  const calls = (choice) => choice.message.tool_calls.map(({ id, function: { name, arguments: given } }) => [id, name, given]);
  assert.deepEqual(calls(final), calls(whole));
  assert.equal(typeof JSON.parse(whole.message.tool_calls[0].function.arguments).city, 'string');
});

test('embeddings come as base64 and as floats', async () => {
  const coded = await client.embeddings.create({ model: 'lab/embed', input: ['one', 'two'] });
  const plain = await client.embeddings.create({ model: 'lab/embed', input: ['one', 'two'], encoding_format: 'float' });
  assert.deepEqual(plain.data.map((item) => item.embedding.length), [1536, 1536]);
  coded.data[1].embedding.forEach((value, at) => assert.ok(Math.abs(value - plain.data[1].embedding[at]) < 1e-6));
});

test('a tier falls back where nobody sees it', async () => {
  const { data, response } = await client.chat.completions
    .create({ model: 'pair', messages: HELLO })
    .withResponse();
  assert.equal(data.model, 'chat');
  assert.equal(response.headers.get('x-sluice-model'), 'chat');
});

test('SSE-7 an error before the stream is an HTTP error of the right class', async () => {
  const asks = (model, kind) => [false, true].map((stream) => assert.rejects(chat({ model, stream }), kind));
  await Promise.all([
    ...asks('lab/context-length', (error) => error instanceof OpenAI.BadRequestError && error.code === 'context_length_exceeded'),
    ...asks('lab/status-429', OpenAI.RateLimitError),
    ...asks('lab/status-500', OpenAI.InternalServerError),
    ...asks('lab/status-404', OpenAI.NotFoundError),
    assert.rejects(chat({ messages: 'hello' }), (error) => error.status === 400 && error.param === 'messages'),
  ]);
});

for (const fault of ['reset-after-5', 'end-after-5', 'error-after-5', 'error-event-after-5']) {
  test(`SSE-7 ${fault} in the middle of a stream throws in the SDK`, async () => {
    let got = 0;
    await assert.rejects(async () => {
      for await (const chunk of await chat({ model: `lab/chat+${fault}`, stream: true })) {
        if (chunk.choices[0]?.delta.content) got += 1;
      }
    }, OpenAI.APIError);
    assert.equal(got, 5);
  });
}

test('AG-5 a stored response is read, listed, cancelled and deleted', async () => {
  const made = await client.responses.create({ model: 'full/chat', input: 'Remember the harbour.' });
  assert.deepEqual(await client.responses.retrieve(made.id), made);
  const items = [];
  for await (const item of client.responses.inputItems.list(made.id, { limit: 1 })) items.push(item);
  assert.equal(items[0].content[0].text, 'Remember the harbour.');
  await assert.rejects(client.responses.cancel(made.id), OpenAI.BadRequestError);
  const slow = await client.responses.create({ model: 'full/slow', input: 'Stop.', background: true });
  assert.equal((await client.responses.cancel(slow.id)).status, 'cancelled');
  await client.responses.delete(made.id);
  await assert.rejects(client.responses.retrieve(made.id), OpenAI.NotFoundError);
});

for (const stream of [true, false]) {
  test(`DISC-1 an abort of a ${stream ? 'streamed' : 'buffered'} call reaches the upstream and leaves one row`, async () => {
    const { requests, cancelled } = await stage.meter();
    const rows = await stage.cancelled();
    const controller = new AbortController();
    const asked = chat({ model: 'lab/slow+tokens-500', stream }, { signal: controller.signal });
    if (stream) {
      for await (const chunk of await asked) if (chunk.choices[0]?.delta.content) controller.abort();
    } else {
      await eventually(async () => (await stage.meter()).in_flight === 1);
      controller.abort();
      await assert.rejects(asked, OpenAI.APIUserAbortError);
    }
    const aborted = performance.now();
    await eventually(async () => (await stage.meter()).cancelled === cancelled + 1, 1, 'the cancel');
    assert.ok(performance.now() - aborted < 1000 * SLOW);
    await eventually(async () => (await stage.cancelled()) === rows + 1, 5, 'the row');
    assert.equal((await stage.meter()).requests, requests + 1);
  });
}
