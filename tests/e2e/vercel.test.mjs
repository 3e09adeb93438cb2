// The Vercel AI SDK through the gateway, with its providers for OpenAI (Responses and Chat) and Anthropic.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createAnthropic } from '@ai-sdk/anthropic';
import { createOpenAI } from '@ai-sdk/openai';
import { embed, generateText, jsonSchema, Output, stepCountIs, streamText, tool } from 'ai';
import { Stage } from './harness.mjs';

const PROMPT = 'Tell me about the harbour.';
const stage = new Stage();
before(() => stage.start());
after(() => stage.stop());

const given = () => ({ baseURL: `${stage.url}/v1`, apiKey: 'client-key' });
const WAYS = {
  chat: (model) => createOpenAI(given()).chat(model),
  responses: (model) => createOpenAI(given()).responses(model),
  messages: (model) => createAnthropic(given())(model),
};
const weather = tool({
  description: 'The weather in a city.',
  inputSchema: jsonSchema({ type: 'object', properties: { city: { type: 'string' } }, required: ['city'], additionalProperties: false }),
  execute: ({ city }) => `rain in ${city}`,
});
const once = { maxRetries: 0 };

for (const [way, of] of Object.entries(WAYS)) {
  for (const target of ['lab', 'anthropic']) {
    test(`SSE-6 ${way} to ${target}: a stream reads as the whole text, and counts the same`, async () => {
      const whole = await generateText({ model: of(`${target}/chat`), prompt: PROMPT, ...once });
      const stream = streamText({ model: of(`${target}/chat`), prompt: PROMPT, ...once });
      let text = '';
      for await (const piece of stream.textStream) text += piece;
      assert.ok(whole.text);
      assert.equal(text, whole.text);
      assert.equal(await stream.finishReason, 'stop');
      const usage = await stream.usage;
      assert.ok(usage.outputTokens > 0);
      assert.deepEqual([usage.inputTokens, usage.outputTokens], [whole.usage.inputTokens, whole.usage.outputTokens]);
    });

    test(`TR-9 ${way} to ${target}: a tool is called and its result goes back`, async () => {
      const { steps } = await generateText({ model: of(`${target}/chat+tool-calls-1`), prompt: PROMPT, tools: { weather }, stopWhen: stepCountIs(2), ...once });
      assert.equal(steps.length, 2);
      assert.match(steps[0].toolResults[0].output, /^rain in /);
    });

    test(`TR-4 ${way} to ${target}: an object of a schema`, async () => {
      const schema = jsonSchema({ type: 'object', properties: { n: { type: 'integer' } }, required: ['n'], additionalProperties: false });
      const { output } = await generateText({ model: of(target === 'lab' ? 'lab/chat' : 'anthropic/claude'), prompt: PROMPT, output: Output.object({ schema }), ...once });
      assert.ok(Number.isInteger(output.n));
    });

    for (const fault of ['end-after-5', 'error-after-5', 'reset-after-5']) {
      test(`SSE-7 ${way} to ${target}: ${fault} is an error of the stream`, async () => {
        const errors = [];
        const stream = streamText({ model: of(`${target}/chat+${fault}`), prompt: PROMPT, onError: ({ error }) => errors.push(error), ...once });
        for await (const piece of stream.textStream) assert.equal(typeof piece, 'string');
        assert.ok(errors.length > 0);
      });
    }
  }
}

test('embeddings', async () => {
  const { embedding } = await embed({ model: createOpenAI(given()).embedding('lab/embed'), value: 'one', ...once });
  assert.equal(embedding.length, 1536);
});
