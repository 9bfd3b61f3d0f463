import { createApp } from 'vue';
import MachineDashboard from './MachineDashboard.vue';
import { client, plugin } from './machines';
import 'uplot/dist/uPlot.min.css';
import './style.css';

createApp(MachineDashboard).use(plugin(client)).mount('#app');
