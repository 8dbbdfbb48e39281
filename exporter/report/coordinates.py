"""Where the labels are in the drawings: found by a search for few crossings and short lines that pass no other label,
and fixed, so that the graph looks the same in every export. Every other row is shifted right by half a column."""

WIDE_COORDINATES = (
    ("", "Offer", "", "QualityMetrics", "AgoraSession", "Language"),
    ("", "MilestoneProgress", "OfferReservation", "Consultation", "BankAccount", "Skill", "Verification"),
    ("PaymentGateway", "OfferConsumption", "Customer", "CustomerProfile", "Feedback", "Guide"),
    ("Payment", "Lead", "UserBehavior", "WalletOrder", "GuideWallet", "Device", "SavedMessage"),
    ("Invoice", "PromotionRule", "CustomerWallet", "Transaction", "OTPAttempt", "AuthUser", "Session"),
    ("", "", "", "Role", "Notification", "LoginActivity"),
)
NARROW_COORDINATES = (
    ("PaymentGateway", "PromotionRule", "Payment", "Invoice"),
    ("Transaction", "CustomerWallet", "CustomerProfile"),
    ("WalletOrder", "UserBehavior", "Customer", "OfferConsumption"),
    ("", "Lead", "MilestoneProgress"),
    ("Consultation", "Feedback", "", "Offer"),
    ("QualityMetrics", "GuideWallet", "OfferReservation"),
    ("Skill", "AgoraSession", "AuthUser", "LoginActivity"),
    ("Role", "OTPAttempt", "Session"),
    ("Guide", "Language", "Notification", "Device"),
    ("SavedMessage", "Verification", "BankAccount"),
)
