-- The small tables that everything else refers to; they do not grow with the scale.

INSERT INTO guide.skills VALUES
    (1, 'Vedic Astrology', 'Kundli, dasha and gochar'), (2, 'Tarot', NULL), (3, 'Numerology', 'Numbers & names'),
    (4, 'Vastu', E'Home and office\nMap or photos needed'), (5, 'Palmistry', 'Send a photo of "both" hands'),
    (6, 'KP Astrology', NULL), (7, 'Lal Kitab', 'Simple remedies'), (8, 'Prashna', 'One question, one answer'),
    (9, 'Face Reading', NULL), (10, 'Nadi', 'தமிழ் ஓலைச்சுவடி');

INSERT INTO guide.languages VALUES (1, 'Hindi'), (2, 'English'), (3, 'Tamil'), (4, 'বাংলা'), (5, 'Telugu');

INSERT INTO wallet.payment_gateways VALUES (1, 'Razorpay'), (2, 'Cashfree'), (3, 'PhonePe'), (4, 'Paytm');

INSERT INTO wallet.promotion_rules VALUES
    (1, 'First recharge', 50, 199.99, 100), (2, 'Small recharge', 100, 499.99, 5), (3, 'Festival 🪔', 500, 1999.99, 12.5),
    (4, 'Large recharge', 2000, NULL, 20), (5, 'Loyalty', NULL, NULL, 7.25), (6, 'Suspended', 100, 200, NULL);

INSERT INTO offers.offer_definitions VALUES
    (1, 'First consultation free', 'FREE_MINUTES', NULL, 5, '2025-01-10 09:00+05:30'),
    (2, 'Diwali Dhamaka 🪔', 'RECHARGE_BONUS', 25, NULL, '2026-10-20 00:00+05:30'),
    (3, 'Recharge 500, get 10%', 'RECHARGE_BONUS', 10, NULL, '2025-03-01 09:00+05:30'),
    (4, 'Come back', 'WIN_BACK', 50, 3, '2025-06-15 09:00+05:30'),
    (5, '3rd consultation at half price', 'MILESTONE', 50, NULL, '2025-06-15 09:00+05:30'),
    (6, '10th consultation free', 'MILESTONE', NULL, 10, '2025-06-15 09:00+05:30'),
    (7, 'Weekend "Tarot" special', 'FREE_MINUTES', NULL, 3, '2026-02-01 09:00+05:30'),
    (8, 'नवरात्रि ऑफर', 'RECHARGE_BONUS', 9.99, NULL, '2026-09-25 00:00+05:30'),
    (9, 'Refer a friend', 'REFERRAL', NULL, NULL, '2025-01-10 09:00+05:30'),
    (10, 'Birthday', 'FREE_MINUTES', NULL, 7, '2025-08-01 09:00+05:30'),
    (11, 'New year 2026', 'RECHARGE_BONUS', 20.26, NULL, '2025-12-28 09:00+05:30'),
    (12, 'Legacy offer', 'RECHARGE_BONUS', 0, 0, NULL);
