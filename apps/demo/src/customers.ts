// Gentle traffic for services that run elsewhere: SHOP_URL, TRACKING_URL and ANALYTICS_URL say where. Ends with SIGTERM.
import { Traffic } from './traffic.js';

const { SHOP_URL: shop, TRACKING_URL: tracking, ANALYTICS_URL: analytics } = process.env;
if (shop === undefined || tracking === undefined || analytics === undefined) {
  console.error('SHOP_URL, TRACKING_URL and ANALYTICS_URL must say where the services are: http://shop:3000, say.');
  process.exit(1);
}
const traffic = new Traffic({ shop, tracking, analytics });
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => traffic.stop());
traffic.start();
console.log(`Customers order from ${shop}, cabs report to ${tracking}, and ${analytics} is asked for reports.`);
