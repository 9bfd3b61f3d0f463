import { createClient, defineContract } from '@holdfast/client';
import { createComposables } from '@holdfast/vue';
import * as v from 'valibot';
import { computed, createApp, defineComponent, h, ref } from 'vue';

const metrics = defineContract({
  serverEvents: {
    cpu: v.object({ node: v.string(), percent: v.number() }),
    alert: v.object({ text: v.string() }),
  },
  requests: { nodes: { input: v.undefined(), output: v.array(v.string()) } },
});
const { plugin, useConnection, useLatest, useEvent, useRoom, useClient } =
  createComposables<typeof metrics>();
const Dashboard = defineComponent(() => {
  const connection = useConnection();
  const cpu = useLatest('cpu');
  const node = ref<string | null>('node-1');
  const { state } = useRoom(() => node.value && `node:${node.value}`);
  const alerts = ref<string[]>([]);
  useEvent('alert', ({ text }) => alerts.value.push(text));
  const nodes = ref<string[]>([]);
  void useClient()
    .request('nodes')
    .then((all) => (nodes.value = all));
  const banner = computed(() =>
    connection.value.status === 'connected'
      ? `up, rtt ${connection.value.rttMs ?? '?'}`
      : connection.value.status,
  );
  return () => h('p', [banner.value, state.value.status, cpu.value?.percent.toFixed(1)]);
});
createApp(Dashboard)
  .use(plugin(createClient({ url: '/realtime', contract: metrics })))
  .mount('#app');
