export { events, gpsFixes, notifications, orderNews, orders } from './channels.js';
export { GpsFix, Position } from './gps-fix.js';
export { NotificationSent } from './notification-sent.js';
export { Order, OrderItem, PlaceOrder } from './order.js';
export { redisConnection } from './redis-connection.js';
