// Anthropic's JavaScript SDK through the gateway, in both ways it sends its key: what a program sees.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import Bearer from '@anthropic-ai/sdk';
import XApiKey from 'anthropic-sdk-0';
import { HELLO, Stage } from './harness.mjs';

const TOOLS = ['Read', 'Grep'].map((name) => ({
  name,
  input_schema: { type: 'object', properties: { what: { type: 'string' } }, required: ['what'] },
}));
const VERSIONS = { 'key in Authorization': Bearer, 'key in x-api-key': XApiKey };
const MODELS = ['anthropic/claude', 'lab/chat'];

const stage = new Stage();
before(() => stage.start());
after(() => stage.stop());

for (const [way, Anthropic] of Object.entries(VERSIONS)) {
  const open = () => new Anthropic({ baseURL: stage.url, apiKey: 'client-key', maxRetries: 0 });

  for (const model of MODELS) {
    test(`SSE-6 ${way}: a stream of ${model} reads as the buffered message`, async () => {
      const asked = { model, max_tokens: 1000, messages: HELLO };
      const whole = await open().messages.create(asked);
      const streamed = await open().messages.stream(asked).finalMessage();
      assert.equal(whole.content[0].type, 'text');
      assert.equal(streamed.content[0].text, whole.content[0].text);
      assert.equal(streamed.stop_reason, 'end_turn');
      assert.equal(streamed.usage.input_tokens, whole.usage.input_tokens);
      assert.equal(streamed.usage.output_tokens, whole.usage.output_tokens);
    });

    test(`TR-9 ${way}: tools of ${model}, their results and pictures go round`, async () => {
      const client = open();
      const asked = { max_tokens: 1000, tools: TOOLS };
      const question = { role: 'user', content: 'Look around.' };
      const first = await client.messages.stream({ model: `${model}+tool-calls-2`, messages: [question], ...asked }).finalMessage();
      const uses = first.content.filter(({ type }) => type === 'tool_use');
      assert.deepEqual(uses.map(({ name }) => name), ['Read', 'Grep']);
      assert.equal(typeof uses[0].input.what, 'string');
      const picture = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'iVBORw0KGgo=' } };
      const results = uses.map(({ id }) => ({ type: 'tool_result', tool_use_id: id, content: [{ type: 'text', text: 'ok' }, picture] })).reverse();
      const turns = [question, { role: 'assistant', content: first.content }, { role: 'user', content: results }];
      const second = await client.messages.create({ model, messages: turns, ...asked });
      assert.equal(second.stop_reason, 'end_turn');
    });

    test(`AG-2 ${way}: tokens of ${model} are counted`, async () => {
      const asked = { model, messages: HELLO, tools: TOOLS };
      const { input_tokens: counted } = await open().messages.countTokens(asked);
      const { usage } = await open().messages.create({ ...asked, max_tokens: 100 });
      assert.ok(counted >= 0.9 * usage.input_tokens);
    });
  }

  test(`SSE-7 ${way}: errors before a stream and in it are thrown`, async () => {
    const ask = (model, how) => open().messages.stream({ model, max_tokens: 100, messages: HELLO }, how).finalMessage();
    for (const model of MODELS) {
      await assert.rejects(ask(`${model}+status-429`), Anthropic.RateLimitError);
      await assert.rejects(ask(`${model}+context-length`), Anthropic.BadRequestError);
      for (const fault of ['reset-after-5', 'end-after-5', 'error-after-5']) {
        await assert.rejects(ask(`${model}+${fault}`), Anthropic.AnthropicError);
      }
    }
    await assert.rejects(ask('nobody/knows'), Anthropic.NotFoundError);
  });

  test(`AG-6 ${way}: the list of models`, async () => {
    const names = [];
    for await (const model of open().models.list()) names.push(model.id);
    assert.ok(names.includes('pair'));
  });
}
