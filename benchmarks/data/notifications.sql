-- Notifications: the largest table by far. One in ten writes its user's ID in another way than plain digits.
INSERT INTO notifications.notifications
SELECT pg_temp.uuid_of(i, 'notification'),
       CASE WHEN i % 10 <> 3 THEN user_id
            ELSE CASE (i / 10) % 16
                WHEN 0 THEN ' ' || user_id || ' ' WHEN 1 THEN '"' || user_id || '"' WHEN 2 THEN '''' || user_id || ''''
                WHEN 3 THEN '00' || user_id WHEN 4 THEN user_id || '.0' WHEN 5 THEN user_id || '.000' WHEN 6 THEN NULL
                WHEN 7 THEN '' WHEN 8 THEN 'null' WHEN 9 THEN 'undefined' WHEN 10 THEN '"None"' WHEN 11 THEN E'\t' || user_id
                WHEN 12 THEN '+' || user_id WHEN 13 THEN user_id || 'e1' WHEN 14 THEN '-' || user_id
                ELSE pg_temp.uuid_of(i, 'user')::text END END,
       CASE WHEN i % 60 = 0 THEN 'guide' ELSE 'customer' END,
       pg_temp.one_of(i, 118, ARRAY['CONSULTATION_STARTED', 'CONSULTATION_ENDED', 'WALLET_LOW', 'OFFER', 'PAYMENT_SUCCESS', 'REMINDER']),
       pg_temp.one_of(i, 119, ARRAY['PUSH', 'PUSH', 'PUSH', 'SMS', 'EMAIL', 'IN_APP']), pg_temp.one_of(i, 120, ARRAY['HIGH', 'NORMAL', 'LOW', NULL]),
       pg_temp.one_of(i, 121, ARRAY['Your guide is online ✨', 'Wallet running low', 'Payment received', 'ऑफ़र: 20% अधिक', 'Reminder']),
       'Hi ' || pg_temp.first_name(i) || pg_temp.one_of(i, 122, ARRAY[
           ', your session with "Acharya ' || pg_temp.first_name(i + 1) || '" is about to begin. Tap to join, or reschedule in the app. 🔮',
           E',\nyour wallet has ₹' || pg_temp.pick(i, 123, 500) || E' left.\nRecharge now and get 10% more with code KIRAN10.',
           ', ₹' || pg_temp.pick(i, 123, 5000) || '.00 were added to your wallet. Order no. ' || pg_temp.pick(i, 124, 1000000000),
           ', आज का राशिफल तैयार है। अभी पढ़ें!',
           ', how was your last consultation? Your feedback helps others, it takes less than a minute.']),
       i % 3 = 0, pg_temp.moment(i, :notifications)
FROM generate_series(1, :notifications) AS i
CROSS JOIN LATERAL (SELECT pg_temp.auth_id(pg_temp.reference(i, 125, :auth_users))::text) AS u (user_id);
