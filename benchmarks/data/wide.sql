-- A wide source: the texts that people and programs write have 1 kB each, just not enough to be stored out of line.
SET synchronous_commit = off;
ALTER TABLE notifications.notifications
    ALTER COLUMN body TYPE text USING rpad(body, 1024, md5(id::text));
ALTER TABLE auth.login_activities
    ALTER COLUMN user_agent TYPE text USING rpad(user_agent, 1024, md5(id::text));
ALTER TABLE guide.saved_messages
    ALTER COLUMN content TYPE text USING rpad(content, 1024, md5(id::text));
ALTER TABLE consultation.feedback
    ALTER COLUMN feedback_text TYPE text USING rpad(feedback_text, 1024, md5(id::text));
